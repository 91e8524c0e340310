"""Freed memory is kept: the same arrays made again cost no page faults."""

import subprocess
import sys

import pytest
from processes import environment

CODE = """
import resource, sys
import numpy as np
from numpylm.memory import keep_freed_memory

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
