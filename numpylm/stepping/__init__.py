"""One forward and backward pass, quantity by quantity: what `python -m numpylm step` shows."""
