"""Every stub fails with a helpful message, every solution passes, every broken function is diagnosed."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from student_files import check_here

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.checking import check_file
from numpylm.tutor.report import report

FOLDER = Path(__file__).parent.parent / "exercises"
STUBS = sorted(FOLDER.glob("[01]*.py"))
BUGS = sorted(FOLDER.glob("bug_*.py"))
SOLUTIONS = sorted((FOLDER / "solutions").glob("*.py"))
README = (FOLDER / "README.md").read_text(encoding="utf-8")

WRONG = {  # function, the quantities that are wrong, and what the diagnosis must say
    "bug_01": ("rnn_step_backward", {"dh_prev"}, "transpose"),
    "bug_02": ("lstm_backward", {"dx", "dh_0", "dc_0", "dW_x", "dW_h", "db"}, "recurrent gradient is never carried"),
    "bug_03": ("lstm_step_backward", {"dc_prev"}, "(7)"),
    "bug_04": ("lstm_step_backward", {"dc_t", "dh_prev", "dc_prev"}, "dc_t"),
    "bug_05": ("lstm_step_backward", {"da_i", "da_f", "da_o", "da_t"}, "the activation was applied a second time"),
    "bug_06": ("rnn_backward", {"dW_hh"}, "off by one in time"),
    "bug_07": ("rnn_backward", {"dW_hh"}, "overwritten"),
    "bug_08": ("embedding_backward", {"dE"}, "twice"),
    "bug_09": ("cross_entropy_backward", set(), "in place"),
    "bug_10": ("lstm_step_backward", {"dc_prev", "da_f"}, "(7)", "f_t is left out", "only its columns of f are wrong"),
}


@cache
def result_of(path):
    return check_here(path)


def constant(path, name):
    """The value of a constant that a file defines, without running it."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    return None


def test_there_is_a_course():
    assert len(STUBS) == 16
    assert {path.stem for path in BUGS} == set(WRONG)
    assert [path.name for path in SOLUTIONS] == [path.name for path in STUBS]


@pytest.mark.parametrize("path", STUBS + BUGS, ids=lambda path: path.stem)
def test_a_file_says_all_that_is_needed(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring.split("\n")[0].rpartition(" ")[2] in ("*", "**", "***")
    assert f"check exercises/{path.name}" in docstring
    assert set(constant(path, "EXERCISE")) <= set(ASSIGNMENTS)
    assert "1. " in constant(path, "HINTS") and "2. " in constant(path, "HINTS")
    assert f"]({path.name})" in README


@pytest.mark.parametrize("path", STUBS, ids=lambda path: path.stem)
def test_a_stub_fails_and_says_what_to_write(path):
    result = result_of(path)
    assert not result.ok and sorted(result.findings) == sorted(constant(path, "EXERCISE"))
    assert {finding["status"] for finding in result.findings.values()} == {"not written"}
    text = report(result)
    assert all(ASSIGNMENTS[name].equation.split("\n")[-1] in text for name in result.findings)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_solution_passes(path):
    result = result_of(path)
    assert result.ok, report(result)
    asked = constant(FOLDER / path.name, "EXERCISE")
    assert set(asked) <= set(result.findings)


@pytest.mark.parametrize("path", BUGS, ids=lambda path: path.stem)
def test_a_bug_is_found_and_named(path):
    function, quantities, *sentences = WRONG[path.stem]
    findings = result_of(path).findings
    assert [name for name, finding in findings.items() if finding["status"] != "ok"] == [function]
    wrong = {row["name"] for row in findings[function].get("table", [])}
    assert quantities <= wrong and bool(quantities) == bool(wrong)
    said = " ".join(findings[function]["sentences"] + findings[function].get("diagnosis", []))
    assert [sentence for sentence in sentences if sentence not in said] == []


@pytest.mark.parametrize("path", [STUBS[0], BUGS[7], SOLUTIONS[0]], ids=lambda path: path.stem)
def test_the_command_says_the_same(path):
    """The other tests check in their own process, which is quicker."""
    assert report(check_file(path, seconds=60, seed=1)) == report(result_of(path))


def mended(path):
    """A bug's file with the lines of solutions/bugs.md in the place of the wrong ones."""
    lines = path.read_text(encoding="utf-8").split("\n")
    text = (FOLDER / "solutions" / "bugs.md").read_text(encoding="utf-8")
    (changes,) = re.findall(rf"^## {path.name}\n\n```diff\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    place = None
    for change in changes.splitlines():
        if change[0] == "-":
            place = lines.index(change[1:])
            lines.pop(place)
        else:
            lines.insert(place, change[1:])
            place += 1
    return "\n".join(lines)


@pytest.mark.parametrize("path", BUGS, ids=lambda path: path.stem)
def test_a_bug_is_mended_by_the_lines_in_the_solutions(path, tmp_path):
    (tmp_path / path.name).write_text(mended(path), encoding="utf-8")
    result = result_of(tmp_path / path.name)
    assert result.ok and WRONG[path.stem][0] in result.findings, report(result)
