"""How fast and how large it is: numpylm beside its matrix products, PyTorch and JAX.

    shapes          the sizes that are measured            products      the matrix products of a training step
    clock           taking turns, times and ratios         in_numpylm, in_torch, in_jax      the same model three times
    measurements    the table of what can be measured      processes     a process with its own BLAS
    system          versions, processor, BLAS, memory      report        tables and a picture

To add a measurement, write a function that returns functions by name, and a line of MEASUREMENTS in measurements.py.
"""
