"""Text as tokens: the tokenizer, the token stream to train on, the score and the writing of text."""
