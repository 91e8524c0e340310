"""Settings that all tests share.

Their matrix products are small: on one thread they are faster, and as fast on a busy machine. Hypothesis tries sixty
examples where a test does not say how many, and no example is too slow for a machine that has other work to do.
"""

import os
from functools import partial

import calls
import pytest
from browser import chromium, opened, visit  # noqa: F401 (fixtures)
from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("numpylm", max_examples=60, deadline=None)
settings.load_profile("numpylm")


@pytest.fixture
def call(request, monkeypatch, capsys):
    """The command line, 80 columns wide, in the test module's folder if it has one: call("info", "run", stdin=b"") is
    (exit status, standard output, standard error)."""
    if "folder" in request.fixturenames or hasattr(request.module, "folder"):
        monkeypatch.chdir(request.getfixturevalue("folder"))
    monkeypatch.setenv("COLUMNS", "80")
    return partial(calls.call, monkeypatch, capsys)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """The path of a small text."""
    from run_examples import write_corpus  # imports NumPy, which reads the environment

    return write_corpus(tmp_path_factory.mktemp("corpus"))
