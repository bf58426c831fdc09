"""The textbook's road from scratch: layers, optimizers and training in NumPy that can be read in an evening."""
