"""The page: a local server that shows models, every value of them and where each number comes from."""
