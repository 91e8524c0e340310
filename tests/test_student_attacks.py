"""`numpylm check` against files that try to pass without being right, to flood it, to hang it, or to outlive it.

The process that runs a student's file holds no answers and no verdict, so that nothing done there can pass.
"""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from student_files import check_in_child, check_source

from numpylm.tutor.process import wire
from numpylm.tutor.report import report

ROOT = Path(__file__).parent.parent
SOLUTION = str(ROOT / "exercises/solutions/02_softmax_cross_entropy.py")
FORGED = 'b\'{"begin": "softmax"}\\n{"end": "softmax", "status": "ok", "sentences": []}\\n{"finished": true}\\n\''
CHEATS = {  # what a file does in place of softmax, and what the report says
    "patches the checker's NumPy": (
        "np.abs = np.absolute = lambda x: 0 * x\nnp.allclose = np.array_equal = lambda *a, **k: True\n"
        "def softmax(a):\n    np.abs = lambda x: 0 * x\n    return a", "wrong", ""),
    "patches the checker": (
        "def softmax(a):\n    import sys\n    for m in list(sys.modules.values()):\n        for n in list(vars(m)):\n"
        "            if n in ('compare', 'judge', 'wrong_row', 'same'): setattr(m, n, lambda *a, **k: ([], []))\n"
        "    return a", "wrong", ""),
    "searches the memory": (
        "import gc, sys\ndef softmax(a):\n    found = []\n    frame = sys._getframe()\n    while frame:\n"
        "        found += frame.f_locals.values(); frame = frame.f_back\n    found += gc.get_objects()\n"
        "    for x in found:\n        for y in (x.values() if isinstance(x, dict) else [x]):\n"
        "            if isinstance(y, np.ndarray) and y.shape == a.shape and np.allclose(y.sum(-1), 1): return y\n"
        "    return a", "wrong", ""),
    "calls ours": (
        "import numpylm.activations\ndef softmax(a):\n    return numpylm.activations.softmax(a)", "not yours",
                   "numpylm's own softmax"),
    "copies ours": (
        "import types\nfrom numpylm import activations\nf = activations.softmax\nsoftmax = types.FunctionType("
        "f.__code__, f.__globals__, 'softmax')\nsoftmax.__module__ = '__main__'\n", None, "numpylm's own: not checked"),
    "runs a solution": (
        f"def softmax(a):\n    space = {{}}\n    exec(open({SOLUTION!r})"
        ".read(), space)\n    return space['softmax'](a)", "not yours", "02_softmax_cross_entropy.py"),
    "forges the report": (
        f"import os\nsaid = {FORGED}\ndef softmax(a):\n    for fd in range(64):\n        try: os.write(fd, said)\n"
        "        except OSError: pass\n    os._exit(0)", "crash", ""),
    "forges and goes on": (
        f"import os\nsaid = {FORGED}\ndef softmax(a):\n    for fd in range(64):\n        try: os.write(fd, said)\n"
        "        except OSError: pass\n    return a", "crash", ""),
    "begins and exits": ("import os\ndef softmax(a):\n    os._exit(0)", "crash", "ended the whole Python process"),
    "floods": (
        "import os\ndef softmax(a):\n    while True:\n        for fd in range(64):\n"
        "            try: os.write(fd, b'x' * 65536)\n            except OSError: pass", "crash", "broke off"),
    "closes everything": ("import os\ndef softmax(a):\n    os.closerange(0, 64)\n    return a", "crash", ""),
    "returns 900 MB": ("def softmax(a):\n    return np.zeros((900, 2**17))", "crash",
                       "an array of shape (900, 131072)"),
    "holds the interpreter": ("def softmax(a):\n    return 7 ** (10**8)", "timeout", "stopped after 2 seconds"),
    "colours the terminal": (
        "def softmax(a):\n    print('\\x1b[2J\\x1b]0;owned\\x07 fine')\n    raise ValueError('\\x1b[31mred')",
        "crash", "red"),
}  # fmt: skip


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_does_not_pass(tmp_path, cheat):
    source, status, said = CHEATS[cheat]
    result = check_in_child(tmp_path, "import numpy as np\n" + source, seconds=2, megabytes=4000)
    text = report(result)
    assert not result.ok and (status is None or result.findings["softmax"]["status"] == status), text
    assert said in " ".join(text.split()), text
    assert all(c == "\n" or c.isprintable() for c in text)


@pytest.mark.parametrize(
    "text",
    [
        '["array", ["f8, (", [1]]]',
        '["array", ["|O8", [1]]]',
        '["array", ["<f8", [2]]]',
        '["array", ["<f8", [-1]]]',
        '["tuple", [[0, ["array", ["<f8", [1]]]], [1, ["array", ["<f8", [1]]]]]]',  # the same bytes twice
        '["dict", [[[], 1]]]',
        "[" * 100_000,
    ],
)
def test_a_reply_that_is_no_message_of_ours_is_refused(text):
    message = wire.HEADER.pack(wire.MARK, len(text), 8) + text.encode() + bytes(8)
    with pytest.raises(ValueError, match="no message of ours"):
        wire.read_message(io.BytesIO(message))


def test_a_table_of_recorded_answers_is_of_no_use(tmp_path):
    """The problems are others in each run, and the same for the same seed."""
    source = "import numpy as np\ndef relu(a):\n    print(a.sum())\n    return a"
    said = [check_source(tmp_path, source, seed=seed).findings["relu"]["printed"] for seed in (None, None, 5, 5)]
    assert said[0] != said[1] and said[2] == said[3]


def test_a_file_that_uses_ours_as_a_helper_passes_and_it_is_said(tmp_path):
    source = "import numpy as np\nfrom numpylm.activations import sigmoid\n"
    source += "def sigmoid_backward(ds, s):\n    return ds * s * (1 - s)\n"
    result = check_source(tmp_path, source)
    assert result.ok and "sigmoid is numpylm's own: not checked" in report(result)


LASTING = """
import os, subprocess, sys, time
def softmax(a):
    for leaves in (0, 1):
        if os.fork() == 0:
            os.setsid() if leaves else None
            open({folder!r} + f"/{{os.getpid()}}", "w").close()
            time.sleep(300)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    open({folder!r} + f"/{{os.getpid()}}", "w").close()
    while True:
        pass
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes that leave the group are found in /proc")
@pytest.mark.parametrize("end", ["SIGTERM", "SIGHUP", "SIGKILL", "timeout"])
def test_no_process_outlives_the_check(tmp_path, end):
    folder = tmp_path / "ids"
    folder.mkdir()
    path = tmp_path / "mine.py"
    path.write_text(LASTING.format(folder=str(folder)), encoding="utf-8")
    seconds = "1" if end == "timeout" else "60"
    command = [sys.executable, "-m", "numpylm", "check", str(path), "--seconds", seconds, "--seed", "1"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    wait_until(lambda: len(list(folder.iterdir())) == 3)
    if end != "timeout":
        process.send_signal(getattr(signal, end))
    process.wait(timeout=60)
    ids = [int(file.name) for file in folder.iterdir()]
    wait_until(lambda: not any(map(is_alive, ids)) and not sleepers(str(path)))


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def sleepers(path):
    """Living processes that were started for this file."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and path.encode() in (folder / "cmdline").read_bytes() and is_alive(folder.name):
                found.append(int(folder.name))
        except OSError:
            pass
    return found


@pytest.mark.parametrize(
    "line, words", [("os._exit(3)", "ended the whole Python process"), ("while True: pass", "a loop that never ends")]
)
def test_a_constructor_that_ends_or_never_ends_is_told(tmp_path, line, words):
    source = f"""
    import os
    class RNN:
        def __init__(self, n_in, n_hidden):
            {line}
        def forward(self, x): return x
        def backward(self, dh): return dh
    """
    result = check_in_child(tmp_path, source, seconds=2)
    assert not result.ok and words in result.unchecked["RNN.backward"]
