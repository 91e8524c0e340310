"""Watching one forward and backward pass, line by line: what python -m numpylm step shows."""
