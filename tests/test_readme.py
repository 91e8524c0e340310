"""What README.md says is true: its example prints what it shows, its files exist, its commands are all the commands."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from numpylm.commands.cli import build_parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return found


def test_the_example_prints_what_is_shown():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(block("python"), {})
    assert printed.getvalue() == block("text")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "benchmarks/README.md"])
def test_links_names_files_and_functions_lead_somewhere(name):
    checks = pytest.importorskip("notebook_checks", reason="Jupyter is not installed: see requirements.txt")
    text = (ROOT / name).read_text(encoding="utf-8")
    found = [*checks.unknown_names(text), *checks.unknown_functions(text)]
    assert [*checks.wrong_links(text, (ROOT / name).parent), *found] == []


def test_all_commands_are_listed_and_no_other():
    listed = set(re.findall(r"^\| `(\w+)(?: [A-Z][^`]*)?`", README, re.MULTILINE))
    assert listed == set(build_parser()._subparsers._group_actions[0].choices)


def test_the_gate_runs_the_test_command():
    assert len(re.findall(r"^python3 -m venv .*-m pytest .*$", README, re.MULTILINE)) == 1
    assert "-m pytest .*$' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
