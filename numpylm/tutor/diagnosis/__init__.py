"""What is likely wrong with claimed gradients, from arrays by name to ranked sentences."""
