"""Learning from examples with known answers: batches, goals and the task that the training loop takes."""
