"""Peak memory: in MiB, of a process of its own, on every system."""

import sys
from pathlib import Path

import pytest

from numpylm.bench import memory
from numpylm.bench.processes import Worker


def test_a_model_of_more_words_takes_more_memory_in_a_process_of_its_own():
    found = []
    for V in (7, 20_007, 40_007):  # the peak of the first is in its imports, that of the others in training
        with Worker() as worker:
            found.append(worker.ask("memory", name="numpylm", cell="rnn", shape=["", 10, 10, 4, 50, V])["mib"])
    if found[0] is None:
        pytest.skip("this system does not say")
    weights_and_gradients, logits = 4 * 2 * 20_000 * (50 + 4), 4 * 100 * 20_000
    assert found[2] - found[1] > (weights_and_gradients + logits) / 2**20
    assert found[1] > found[0]
    assert 10 < found[0] < 150, "NumPy and numpylm alone"


@pytest.mark.parametrize(("platform", "unit"), [("darwin", 1), ("freebsd", 1024)])
def test_without_proc_getrusage_is_asked_in_the_systems_units(monkeypatch, platform, unit):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(Path, "exists", lambda path: False)
    monkeypatch.setattr(sys, "platform", platform)
    usage = resource.struct_rusage([0] * 2 + [3 * 2**20 // unit] + [0] * 13)
    monkeypatch.setattr(resource, "getrusage", lambda who: usage)
    assert memory.peak_mib() == 3.0


def test_windows_does_not_say(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda path: False)
    monkeypatch.setitem(sys.modules, "resource", None)
    assert memory.peak_mib() is None


def test_what_is_not_installed_has_no_memory(monkeypatch):
    monkeypatch.setattr(memory, "implementation", lambda name: None)
    assert memory.training_memory("jax", "rnn", ["tiny", 3, 2, 4, 5, 7]) == {"mib": None}
