"""VS Code's entries (.vscode/launch.json) start what this version of the package has."""

import fnmatch
import json
from importlib.util import find_spec

from processes import ROOT

from numpylm.commands.cli import build_parser

ENTRIES = json.loads((ROOT / ".vscode" / "launch.json").read_text(encoding="utf-8"))["configurations"]


def test_it_is_part_of_the_project_and_every_entry_is_complete():
    patterns = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()]
    assert not any(fnmatch.fnmatch(name, pattern) for pattern in patterns for name in (".vscode", "launch.json"))
    assert len({entry["name"] for entry in ENTRIES}) == len(ENTRIES) >= 4
    for entry in ENTRIES:
        assert (entry["type"], entry["request"], entry["justMyCode"]) == ("debugpy", "launch", False)
        assert entry["cwd"] == "${workspaceFolder}" and ("module" in entry) != ("program" in entry)
        words = [entry.get("program", ""), *entry.get("args", [])]
        assert {word for word in words if "$" in word} <= {"${file}", "${workspaceFolder}"}
    assert [entry["program"] for entry in ENTRIES if "program" in entry] == ["${file}"]
    (tests,) = [entry for entry in ENTRIES if entry.get("module") == "pytest"]
    assert tests["args"][0] == "${file}" and find_spec("pytest")


def test_the_parser_accepts_every_entrys_arguments():
    parsed = {
        entry["name"]: build_parser().parse_args(entry["args"]) for entry in ENTRIES if entry.get("module") == "numpylm"
    }
    steps = {name: options for name, options in parsed.items() if options.command == "step"}
    assert {options.cell for options in steps.values()} == {"rnn", "lstm", "gru"}
    assert all(options.cell.upper() in name for name, options in steps.items())
    assert not any(options.pdb for options in steps.values()), "two debuggers would disturb each other"
    (train,) = [options for options in parsed.values() if options.command == "train"]
    sizes = (train.embedding_dim, train.hidden_dim, train.num_steps, train.batch_size)
    assert max(sizes) <= 4 and len(set(sizes)) > 2, "small, and sizes that differ tell a shape's axes apart"
    assert (ROOT / train.corpus).is_file() and train.epochs == 1
