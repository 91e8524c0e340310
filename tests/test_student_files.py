"""What `numpylm check` says of a file itself: notebooks, methods, functions of a library, --require and --memory."""

import argparse
import json

from student_files import check_here, check_source

from numpylm.commands import check as command
from numpylm.tutor.report import as_json, report

RELU = "def relu(a):\n    return a * (a > 0)\n"


def options(*arguments):
    parser = argparse.ArgumentParser()
    command.add_options(parser)
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
    assert given.file == str(path) and command.run(given) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {name: finding["status"] for name, finding in findings.items()} == {
        "sigmoid": "missing", "tanh": "missing", "relu": "ok",
    }  # fmt: skip
