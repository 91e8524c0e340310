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


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(targets) > 10
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_all_commands_are_listed_and_no_other():
    listed = set(re.findall(r"^\| `(\w+)(?: [A-Z][^`]*)?`", README, re.MULTILINE))
    assert listed == set(build_parser()._subparsers._group_actions[0].choices)


def test_the_gate_runs_the_test_command():
    assert len(re.findall(r"^python3 -m venv .*-m pytest .*$", README, re.MULTILINE)) == 1
    assert "-m pytest .*$' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", re.findall(r"`((?:rnn|lstm|gru)_\w+|cross_entropy_\w+|clip_\w+)`", README))
def test_functions_that_are_named_exist(name):
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "numpylm").glob("*.py"))
    assert f"def {name}(" in sources
