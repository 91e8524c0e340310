"""How fast and how large it is: numpylm beside its matrix products, PyTorch and JAX (measurements.py has the table)."""
