"""Settings that all tests share.

Their matrix products are small: on one thread they are faster, and as fast on a busy machine. Hypothesis tries forty
examples where a test does not say how many, the same ones each time, and none is too slow for a busy machine.

A shell that starts the tests in the background, and nohup, make them ignore Ctrl-C or SIGHUP, and with them the
commands that they start. The tests of these signals need the usual behaviour.
"""

import os
import signal
from functools import partial

import calls
import pytest
from browser import chromium, opened, visit  # noqa: F401 (fixtures)
from foreign_code import check  # noqa: F401 (a fixture)
from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("numpylm", max_examples=40, deadline=None, derandomize=True, database=None)
settings.load_profile("numpylm")
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


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
