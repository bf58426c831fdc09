"""Projects of a reader's own, started from a run: plain Keras scripts that need no openbook."""
