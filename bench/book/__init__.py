"""The book's own recipes, written from their published facts, to measure against."""
