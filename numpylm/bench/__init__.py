"""How fast it is: training steps beside the matrix products they cannot avoid, and beside PyTorch and JAX."""
