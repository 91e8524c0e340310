"""VS Code's entries (.vscode/launch.json) start what this version of the package has."""

import fnmatch
import json
from importlib.util import find_spec

import pytest
from processes import ROOT

from numpylm.commands.cli import build_parser

FILE = ROOT / ".vscode" / "launch.json"
ENTRIES = json.loads(FILE.read_text(encoding="utf-8"))["configurations"]
VARIABLES = {"${file}", "${workspaceFolder}"}


def test_it_is_part_of_the_project():
    patterns = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()]
    assert not any(fnmatch.fnmatch(name, pattern) for pattern in patterns for name in (".vscode", "launch.json"))


def test_every_entry_is_complete_and_has_a_name_of_its_own():
    assert len({entry["name"] for entry in ENTRIES}) == len(ENTRIES) >= 4
    for entry in ENTRIES:
        assert (entry["type"], entry["request"], entry["justMyCode"]) == ("debugpy", "launch", False)
        assert entry["cwd"] == "${workspaceFolder}"
        assert ("module" in entry) != ("program" in entry)
        words = [entry.get("program", ""), *entry.get("args", [])]
        assert {word for word in words if "$" in word} <= VARIABLES


def test_the_open_file_and_the_open_test_file_can_be_debugged():
    assert [entry["program"] for entry in ENTRIES if "program" in entry] == ["${file}"]
    (tests,) = [entry for entry in ENTRIES if entry.get("module") == "pytest"]
    assert tests["args"][0] == "${file}" and find_spec("pytest")


@pytest.mark.parametrize(
    "entry", [each for each in ENTRIES if each.get("module") == "numpylm"], ids=lambda each: each["name"]
)
def test_the_parser_accepts_an_entrys_arguments(entry):
    options = build_parser().parse_args(entry["args"])
    assert options.command in ("step", "train")
    if options.command == "step":
        assert options.cell.upper() in entry["name"] and not options.pdb, (
            "two debuggers would get into each other's way"
        )


def test_training_is_small_enough_to_be_read_in_a_debugger():
    (entry,) = [entry for entry in ENTRIES if entry.get("args", [""])[0] == "train"]
    options = build_parser().parse_args(entry["args"])
    sizes = (options.embedding_dim, options.hidden_dim, options.num_steps, options.batch_size)
    assert max(sizes) <= 4 and len(set(sizes)) > 2, "sizes that differ tell a shape's axes apart"
    assert (ROOT / options.corpus).is_file() and options.epochs == 1


def test_all_cells_can_be_stepped_through():
    assert {entry["args"][2] for entry in ENTRIES if entry.get("args", [""])[0] == "step"} == {"rnn", "lstm", "gru"}
