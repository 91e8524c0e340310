"""`numpylm check`: files that cannot be read, what is missing, options, JSON, and where it runs."""

import json
import os
import subprocess
import sys
import textwrap
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
from student_files import check_here, check_source

from numpylm.commands import check as student
from numpylm.tutor import checking
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.problems import Sizes
from numpylm.tutor.report import as_json, report, signatures

ROOT = Path(__file__).parent.parent


@pytest.fixture
def check(tmp_path):
    """Checks a file with this source."""

    def checked(source, **options):
        path = tmp_path / "mine.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return checking.check_file(path, **({"seconds": 30} | options))

    return checked


def statuses(result):
    return {name: finding["status"] for name, finding in result.findings.items()}


def sentences(result, name):
    return " ".join(result.findings[name]["sentences"])


def test_a_syntax_error_is_shown_as_python_shows_it(check):
    result = check("def tanh(a):\n    return (a\n\ndef relu(a): return a\n")
    text = report(result)
    assert not result.ok and "line 2" in text and "^" in text and "SyntaxError: '(' was never closed" in text


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ('[{"cell_type": "code", "source": "def f(:"}]', 'File "one.ipynb", line 1\n        def f(:\n'),
        ("[5]", "this is no notebook that can be read: it holds no list of cells with a source"),
        ("[" * 10_000, "this is no notebook that can be read"),
    ],
)
def test_a_notebook_that_cannot_be_read_is_told_by_its_cell(tmp_path, cells, said):
    (tmp_path / "one.ipynb").write_text(f'{{"cells": {cells}}}', encoding="utf-8")
    assert said in report(check_here(str(tmp_path / "one.ipynb")))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        ("while True: pass\nraise SystemExit\nimport os; os._exit(1)\nprint(open('input.txt'))", "holds no function"),
        ("def f():\n    while True: pass\nx = f()\ndef g(): return x", "the file was stopped after 1 seconds"),
        ("import os\nx = os._exit(1)", "the file ended the whole Python process"),
    ],
)
def test_a_file_that_cannot_be_imported(check, source, said):
    result = check(source, seconds=1)
    assert not result.ok and said in " ".join(report(result).split()) + report(result)


def test_what_is_missing(check):
    result = check("EXERCISE = ['lstm_step', 'tahn']\ndef lstm_stpe(): pass\nfrom numpylm.rnn import rnn_step\n")
    assert statuses(result) == {"lstm_step": "missing", "tahn": "missing"}
    assert "there is a lstm_stpe: is it misspelt?" in sentences(result, "lstm_step")
    required = check("import numpy as np\ndef tanh(a): return np.tanh(a)", required=["relu"])
    assert not required.ok and statuses(required) == {"tanh": "ok", "relu": "missing"}
    nothing = check("def helper(): pass")
    assert not nothing.ok and "no function that can be checked. It defines helper." in " ".join(report(nothing).split())
    with pytest.raises(ValueError, match="tahn is no function"):
        check("", required=["tahn"])
    with pytest.raises(FileNotFoundError):
        checking.check_file("no/such/file.py")


def test_options_and_exit_status(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text("import numpy as np\ndef tanh(a):\n    print('{')\n    return np.tanh(a)\n", encoding="utf-8")
    assert student.run(options(path)) == 0
    assert "The function is right." in capsys.readouterr().out
    assert student.run(options(path, "--json", "--require", "relu")) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["ok"], printed["right"], printed["functions"]) == (False, 1, 2)
    assert printed["findings"]["relu"]["status"] == "missing"
    assert student.run(options("--list")) == 0
    assert signatures() in capsys.readouterr().out
    for wrong in ([], [str(path), "--seconds", "0"], [str(path), "--memory", "-1"], [str(path), "--memory", "inf"]):
        with pytest.raises(ValueError):
            student.run(options(*wrong))


def test_it_runs_from_any_folder(tmp_path):
    """With helpers beside the file, and without an installed package's path."""
    (tmp_path / "helper.py").write_text(
        "import numpy as np\ndef double(a): return 2 * np.tanh(a / 2)", encoding="utf-8"
    )
    path, elsewhere = tmp_path / "mine.py", tmp_path / "elsewhere"
    path.write_text("from helper import double\ndef sigmoid(a): return 0.5 + double(a) / 4", encoding="utf-8")
    elsewhere.mkdir()
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from numpylm.tutor import checking as command; "
    code += f"print(command.check_file({str(path)!r}).ok)"
    done = subprocess.run([sys.executable, "-c", code], cwd=elsewhere, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "True", done.stderr
    assert not list(tmp_path.rglob("*.pyc"))


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_assignment_is_whole(name):
    """Its returns are among its answers, its signature's parameters among its symbols; both problems differ."""
    assignment = ASSIGNMENTS[name]
    asked = set(assignment.signature.partition("(")[2].partition(")")[0].split(", "))
    problem = assignment.problem(np.random.default_rng(0), Sizes(4, 3, 5, 6, 7), asked)
    tops = {part for answer in problem.answers for part in (answer, answer.partition(".")[0])}
    assert all(set(order) <= tops for order in assignment.returns)
    assert asked - {"cache"} <= set(problem.symbols)
    assert all(np.isfinite(answer).all() and np.any(answer) for answer in problem.answers.values())
    assert max(map(len, assignment.equation.split("\n"))) <= 76


def test_a_backward_whose_forward_keeps_no_cache_is_told_so(check):
    result = check("""
        import numpy as np
        def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
            return np.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)
        def rnn_step_backward(dh_t, cache):
            raise AssertionError("not to be called with a record of ours")
    """)
    assert result.findings["rnn_step"]["status"] == "ok"
    assert "your own rnn_step returns, and that returns none" in sentences(result, "rnn_step_backward")


def test_a_backward_with_a_cache_must_return_the_weights_gradients_too(check):
    source = """
        import numpy as np
        def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
            h_t = np.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)
            return h_t, (h_t, W_hh)
        def rnn_step_backward(dh_t, cache):
            h_t, W_hh = cache
            da_t = dh_t * (1 - h_t**2)
            return RETURNED
    """
    by_name = check(source.replace("RETURNED", "dict(da_t=da_t, dh_prev=da_t @ W_hh.T)"))
    assert "has no dx_t, dW_xh, dW_hh, db_h" in sentences(by_name, "rnn_step_backward")
    in_order = check(source.replace("RETURNED", "da_t, da_t @ W_hh.T"))
    assert "it returns 2 values, but should return" in sentences(in_order, "rnn_step_backward")


def test_a_file_that_hides_a_module_is_checked_and_said_to_hide_it(tmp_path):
    """Also where the command is started in its folder, and where it is only a neighbour of the file."""
    source = "import numpy as np\ndef tanh(a): return np.tanh(a) + 0 * np.random.default_rng(0).random()\n"
    for name in ("random.py", "mine.py"):
        (tmp_path / name).write_text(source, encoding="utf-8")
        code = "from numpylm.tutor import checking, report; "
        code += f"print(report.report(checking.check_file({name!r})))"
        path = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "PYTHONSAFEPATH": "1", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60, env=path
        )
        assert "the name random.py hides the module random from every program" in done.stdout, done.stderr
        assert "The function is right." in done.stdout and "mine.py hides" not in done.stdout


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
    assert student.run(options("--list", "--json")) == 0
    listed = json.loads(capsys.readouterr().out)
    assert set(listed) == set(ASSIGNMENTS) and listed["tanh"]["signature"] == "tanh(a) -> y"


RELU = "def relu(a):\n    return a * (a > 0)\n"


def options(*arguments):
    parser = ArgumentParser()
    student.add_options(parser)
    return parser.parse_args([*map(str, arguments)])


def test_a_file_that_reads_its_command_line_finds_itself_alone(tmp_path):
    source = "import sys\nassert len(sys.argv) == 1 and sys.argv[0].endswith('mine.py'), sys.argv\n" + RELU
    assert check_source(tmp_path, source).ok


def test_a_notebook_is_read(tmp_path):
    cells = [("markdown", "# RNN"), ("code", "%matplotlib inline\nimport numpy as np"), ("code", "!pip list\n" + RELU)]
    cells = [{"cell_type": kind, "source": source.splitlines(True)} for kind, source in cells]
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert check_here(path).ok
    path.write_text("{}", encoding="utf-8")
    assert "this is no notebook that can be read" in report(check_here(path))


def test_a_method_that_the_file_also_names_as_a_function_is_checked(tmp_path):
    source = "class F:\n    def relu(self, a):\n        return a * (a > 0)\nrelu = F().relu\n"
    result = check_source(tmp_path, source)
    assert result.ok and result.notes == ()


def test_a_librarys_function_is_named_as_not_checked(tmp_path):
    result = check_source(tmp_path, "import numpy as np\ntanh = np.tanh\n" + RELU)
    assert list(result.findings) == ["relu"] and "tanh is a library's own: not checked" in report(result)
    assert as_json(result)["notes"] == ["tanh is a library's own: not checked"]


def test_require_takes_one_name_or_a_list_with_commas_and_leaves_the_file_alone(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(RELU, encoding="utf-8")
    given = options("--require", "relu", "--require", "tanh,sigmoid", "--json", path)
    assert given.file == str(path) and student.run(given) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {name: finding["status"] for name, finding in findings.items()} == {
        "sigmoid": "missing", "tanh": "missing", "relu": "ok",
    }  # fmt: skip
