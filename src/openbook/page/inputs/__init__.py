"""What a person gives a model to look at: a text, a picture, or arrays."""
