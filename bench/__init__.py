"""Benchmarks: ratios measured side by side in one process; anyone can run them."""
