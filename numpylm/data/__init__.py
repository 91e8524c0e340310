"""What a model reads: texts, vocabularies, token files, batches, n-grams and the built-in grammar."""
