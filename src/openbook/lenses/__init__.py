"""Pictures of what is inside a model or came of a run: one file for each, which gives numbers and draws them."""
