"""The study journal: what was run, what it took and what was found; the plan of the book; a group side by side."""
