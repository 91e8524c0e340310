"""What runs the mathematics: the library that is loaded, or what NumPy was built with, and no crash anywhere."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import numpylm
from numpylm.bench import system


def info(path, architecture="Haswell"):
    return {
        "user_api": "blas", "internal_api": "openblas", "filepath": path, "version": "0.3.30", "num_threads": 1,
        "architecture": architecture,
    }  # fmt: skip


@pytest.fixture
def loaded(monkeypatch):
    """A function that sets what threadpoolctl finds."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    return lambda *records: monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: list(records))


def test_all_that_is_found_can_be_written_as_json():
    about = json.loads(json.dumps(system.about()))
    assert (about["numpylm"], about["numpy"]) == (numpylm.__version__, np.__version__)
    assert about["python"] == ".".join(map(str, sys.version_info[:3]))
    assert about["blas"]["name"] and about["cores"] >= 1


def test_numpys_own_blas_is_told_from_another(loaded):
    openmp = {"user_api": "openmp", "internal_api": "openmp", "filepath": "libgomp", "num_threads": 2}
    loaded(openmp, info("/lib/scipy.libs/openblas.so", "Zen"), info("/lib/numpy.libs/openblas.so"))
    assert system.blas() == {"name": "openblas", "version": "0.3.30", "kernel": "Haswell", "threads": 1}
    loaded(openmp, info("/usr/lib/libopenblas.so", "Zen"))
    assert system.blas()["kernel"] == "Zen"


def test_a_library_without_kernels_has_none(loaded):
    mkl = info("/numpy/libmkl.so") | {"internal_api": "mkl"}
    del mkl["architecture"]
    loaded(mkl)
    assert system.blas() == {"name": "mkl", "version": "0.3.30", "kernel": None, "threads": 1}


@pytest.mark.parametrize("installed", [True, False])
def test_where_no_library_is_seen_numpys_configuration_is_read(installed, loaded, monkeypatch):
    loaded()
    if not installed:
        monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    config = {"Build Dependencies": {"blas": {"name": "accelerate", "version": "unknown"}}}
    monkeypatch.setattr(np, "show_config", lambda mode: config)
    assert system.blas() == {"name": "accelerate", "version": "unknown", "kernel": None, "threads": None}


def test_without_cpuinfo_the_processor_has_the_name_that_python_knows(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda path: False)
    monkeypatch.setattr(system.platform, "processor", lambda: "arm")
    assert (system.cpuinfo("model name"), system.processor_name()) == (None, "arm")


def test_cpuinfo_is_read_by_its_keys(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nmodel name\t: A: fast one\nflags\t\t: fpu avx2\n", encoding="utf-8"
    )
    monkeypatch.setattr(system, "Path", lambda name: tmp_path / Path(name).name)
    assert system.cpuinfo("model name") == "A: fast one"
    assert system.cpuinfo("flags") == "fpu avx2"
    assert system.cpuinfo("Features") is None
