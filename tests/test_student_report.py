"""`numpylm check`: files that cannot be read, what is missing, options, JSON, and where it runs."""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest
from student_files import check_here, check_in_child, check_source, statuses, told

from numpylm.commands import check as student
from numpylm.tutor import checking
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.report import as_json, report, signatures

ROOT = Path(__file__).parent.parent
RELU = "def relu(a):\n    return a * (a > 0)\n"


def flat(result):
    return " ".join(report(result).split())


def options(*arguments):
    parser = ArgumentParser()
    student.add_options(parser)
    return parser.parse_args([*map(str, arguments)])


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("mine.py", "def tanh(a):\n    return (a\n\ndef relu(a): return a\n", "SyntaxError: '(' was never closed"),
        ("one.ipynb", '{"cells": [{"cell_type": "code", "source": "def f(:"}]}', 'File "one.ipynb", line 1 def f(:'),
        ("one.ipynb", '{"cells": [5]}', "it holds no list of cells with a source"),
        ("one.ipynb", '{"cells": ' + "[" * 10_000 + "}", "this is no notebook that can be read"),
        ("one.ipynb", "{}", "this is no notebook that can be read"),
    ],
)
def test_a_file_or_notebook_that_cannot_be_read_is_told(tmp_path, name, source, said):
    (tmp_path / name).write_text(source, encoding="utf-8")
    result = check_here(str(tmp_path / name))
    assert not result.ok and said in flat(result)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        ("while True: pass\nraise SystemExit\nimport os; os._exit(1)\nprint(open('input.txt'))", "holds no function"),
        ("def f():\n    while True: pass\nx = f()\ndef g(): return x", "the file was stopped after 1 seconds"),
        ("import os\nx = os._exit(1)", "the file ended the whole Python process"),
        ("def helper(): pass", "no function that can be checked. It defines helper."),
    ],
)
def test_a_file_that_cannot_be_imported_or_holds_nothing(tmp_path, source, said):
    result = check_in_child(tmp_path, source, seconds=1)
    assert not result.ok and said in flat(result)


def test_what_is_missing(tmp_path):
    source = "EXERCISE = ['lstm_step', 'tahn']\ndef lstm_stpe(): pass\nfrom numpylm.rnn import rnn_step\n"
    result = check_source(tmp_path, source)
    assert statuses(result) == {"lstm_step": "missing", "tahn": "missing"}
    assert "there is a lstm_stpe: is it misspelt?" in told(result, "lstm_step")
    with pytest.raises(ValueError, match="tahn is no function that can be checked; did you mean tanh"):
        checking.check_file(tmp_path / "mine.py", required=["tahn"])


def test_options_json_and_exit_status(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text("import numpy as np\ndef tanh(a):\n    print('{')\n    return np.tanh(a)\n", encoding="utf-8")
    assert student.run(options(path)) == 0
    assert "The function is right." in capsys.readouterr().out
    assert student.run(options("--require", "relu", "--require", "tanh,sigmoid", "--json", path)) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["ok"], printed["right"], printed["functions"]) == (False, 1, 3)
    found = {name: finding["status"] for name, finding in printed["findings"].items()}
    assert found == {"sigmoid": "missing", "tanh": "ok", "relu": "missing"}
    assert student.run(options("--list")) == 0
    assert signatures() in capsys.readouterr().out
    assert student.run(options("--list", "--json")) == 0
    listed = json.loads(capsys.readouterr().out)
    assert set(listed) == set(ASSIGNMENTS) and listed["tanh"]["signature"] == "tanh(a) -> y"
    for wrong in ([], [str(path), "--seconds", "0"], [str(path), "--memory", "-1"], [str(path), "--memory", "inf"]):
        with pytest.raises(ValueError):
            student.run(options(*wrong))


def test_it_runs_from_any_folder_beside_helpers_and_files_that_hide_modules(tmp_path):
    """Without an installed package's path; in the file's own folder too, where random.py hides Python's."""
    source = "from helper import double\ndef sigmoid(a): return 0.5 + double(a) / 4\n"
    (tmp_path / "helper.py").write_text("import numpy as np\ndef double(a): return 2 * np.tanh(a / 2)", "utf-8")
    (tmp_path / "mine.py").write_text(source, encoding="utf-8")
    (tmp_path / "random.py").write_text(source, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    code = (
        "import sys; sys.path.remove('')\n"  # as PYTHONSAFEPATH does from Python 3.11 on
        "from numpylm.tutor import checking, report; print(report.report(checking.check_file({!r}, seed=1)))"
    )
    path = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    for folder, name in (("elsewhere", str(tmp_path / "mine.py")), (".", "random.py")):
        command = [sys.executable, "-c", code.format(name)]
        done = subprocess.run(
            command, cwd=tmp_path / folder, capture_output=True, encoding="utf-8", timeout=60, env=path
        )
        assert "The function is right." in done.stdout, done.stderr
        assert "the name random.py hides the module random from every program" in done.stdout
        assert "mine.py hides" not in done.stdout
    assert not list(tmp_path.rglob("*.pyc"))


def test_what_cannot_be_checked_is_said_in_json_too(tmp_path, capsys):
    (tmp_path / "one.py").write_text("", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    for name, said in (
        ("nosuch.py", "there is no such file"),
        (".", "this is a folder; check a file of it: one.py"),
        ("pipe", "is a pipe or a device, where a Python file belongs"),
    ):
        path = str(tmp_path / name)
        with pytest.raises((OSError, ValueError), match=said):
            student.run(options(path))
        assert student.run(options(path, "--json")) == 2
        printed = json.loads(capsys.readouterr().out)
        assert printed["ok"] is False and said in printed["error"]["sentences"][0] and "Errno" not in str(printed)


def test_a_file_that_reads_its_command_line_finds_itself_alone(tmp_path):
    source = "import sys\nassert len(sys.argv) == 1 and sys.argv[0].endswith('mine.py'), sys.argv\n" + RELU
    assert check_source(tmp_path, source).ok


def test_a_notebook_is_read(tmp_path):
    cells = [("markdown", "# RNN"), ("code", "%matplotlib inline\nimport numpy as np"), ("code", "!pip list\n" + RELU)]
    cells = [{"cell_type": kind, "source": source.splitlines(True)} for kind, source in cells]
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert check_here(path).ok


def test_a_method_that_the_file_also_names_as_a_function_is_checked(tmp_path):
    source = "class F:\n    def relu(self, a):\n        return a * (a > 0)\nrelu = F().relu\n"
    result = check_source(tmp_path, source)
    assert result.ok and result.notes == ()


def test_a_librarys_function_is_named_as_not_checked(tmp_path):
    result = check_source(tmp_path, "import numpy as np\ntanh = np.tanh\n" + RELU)
    assert list(result.findings) == ["relu"] and "tanh is a library's own: not checked" in report(result)
    assert as_json(result)["notes"] == ["tanh is a library's own: not checked"]
