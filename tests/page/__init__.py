"""The page in a real Chromium: one file for each thing that a reader does with it."""
