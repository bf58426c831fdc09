"""The table of primitives: one file per family."""
