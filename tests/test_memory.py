"""Freed memory is kept: the same arrays made again cost no page faults. And a model that cannot be held is refused."""

import subprocess
import sys

import pytest
from processes import environment

import numpylm
from numpylm import parameters
from numpylm.memory_network import MemoryNetwork
from numpylm.reader import Reader
from numpylm.transcription import AcousticModel
from numpylm.translation import EncoderDecoder

CODE = """
import resource, sys
import numpy as np
from numpylm.base.memory import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(5):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(750_000, np.float32) for _ in range(20)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_the_same_arrays_again_have_their_pages():
    def faults(how):
        command = [sys.executable, "-c", CODE, how]
        return int(subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout)

    if faults("as it is") < 1000:
        pytest.skip("this C library keeps memory by itself")
    assert faults("keep") < 100


@pytest.mark.parametrize(
    ("Model", "sizes", "number"),
    [
        (numpylm.LSTMLM, (50, 16, 10_000_000), "400,001,180,000,850"),
        (numpylm.RNNLM, (50, 100_000_000, 4), "5,400,000,270"),
        (EncoderDecoder, (50, 60, 8, 10_000_000), ""),
        (AcousticModel, (10, 20, 10_000_000), ""),
        (MemoryNetwork, (50, 100_000_000), ""),
        (Reader, (50, 8, 10_000_000), ""),
    ],
)
def test_a_model_that_memory_cannot_hold_is_refused_before_its_weights_are_drawn(monkeypatch, Model, sizes, number):
    monkeypatch.setattr(parameters, "machine_bytes", lambda: 24e9)
    with pytest.raises(ValueError, match=rf"a model of {number}.* parameters does not fit .* GB; choose smaller sizes"):
        Model(*sizes)


def test_a_model_as_large_as_the_memory_is_made(monkeypatch):
    size = 2 * 4 * sum(array.size for array in numpylm.LSTMLM(5, 3, 4).parameters().values())
    monkeypatch.setattr(parameters, "machine_bytes", lambda: size)
    numpylm.LSTMLM(5, 3, 4)
    monkeypatch.setattr(parameters, "machine_bytes", lambda: size - 1)
    with pytest.raises(ValueError, match="does not fit into memory"):
        numpylm.LSTMLM(5, 3, 4)
