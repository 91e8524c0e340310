"""The most memory that a process of its own takes to train: weights, gradients, trace, and the libraries themselves."""

import sys
from pathlib import Path

import numpy as np

from numpylm.bench.implementations import implementation
from numpylm.bench.shapes import Shape, random_batch
from numpylm.model import MODELS

STEPS = 5  # the first few find the most that there will be


def training_memory(name, cell, shape):
    """Peak memory in MiB after a few training steps; None where the system does not say, or name is not installed."""
    one = implementation(name)
    if one is None:
        return {"mib": None}
    shape = Shape(*shape)
    step = one.train(MODELS[cell](shape.V, shape.D, shape.H), random_batch(shape, np.random.default_rng(0)), 1e-6)
    for _ in range(STEPS):
        step.run()
    return {"mib": peak_mib()}


def peak_mib():
    """This process's largest resident memory so far in MiB; None on Windows.

    Linux's getrusage would count the parent's memory too, as it was when this process was started: VmHWM does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, others KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
