"""The program core: any model read as a list of primitive operations, and four readings of it."""
