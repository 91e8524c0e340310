"""What a trained language model has learned: tested on sentences of the grammar, where the answer is known."""
