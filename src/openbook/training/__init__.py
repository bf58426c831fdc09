"""Training: one loop for all recipes, with a budget, a schedule, checkpoints and resume."""
