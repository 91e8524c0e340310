"""Freed memory is kept: a second round of the same arrays costs no page faults; elsewhere nothing is done."""

import ctypes
import platform
import subprocess
import sys

import pytest

from numpylm.commands import allocator

ROUNDS = """
import resource
import sys
import numpy as np
from numpylm.commands.allocator import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def round_of_arrays():
    kept = [np.ones(size, np.uint8) for size in [16_000] * 200 + [3_000_000]]

round_of_arrays()
before = faults()
for _ in range(10):
    round_of_arrays()
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_arrays_that_come_again_cost_no_page_faults():
    def page_faults(how):
        done = subprocess.run([sys.executable, "-c", ROUNDS, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert page_faults("keep") < page_faults("as it is") / 10


def library_without_mallopt(name):
    return object()


def no_library(name):
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.parametrize("library", [library_without_mallopt, no_library])
def test_elsewhere_nothing_is_done(library, monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", library)
    assert allocator.keep_freed_memory() is False
