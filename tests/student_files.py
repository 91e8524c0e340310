"""Students' files, checked in the tests' own process: `check` starts one for each, which takes its time."""

import sys
from pathlib import Path

from numpylm.commands import check as command
from numpylm.tutor import worker
from numpylm.tutor.crash import MODULE

SOLUTIONS = Path(__file__).parent.parent / "exercises" / "solutions"


def check_here(path):
    """The Result for a file whose functions neither hang nor end the process."""
    found, search_path, writes_no_bytecode = {}, list(sys.path), sys.dont_write_bytecode
    command_line = sys.argv

    def tell(message):
        if "end" in message:
            found[message["end"]] = {key: value for key, value in message.items() if key != "end"}

    try:
        worker.check_functions(path, {}, tell)
    finally:
        sys.path[:], sys.dont_write_bytecode, sys.argv = search_path, writes_no_bytecode, command_line
        sys.modules.pop(MODULE, None)
    return command.as_result(path, found)


def check_source(folder, source, *changes):
    """The Result for a source, or for the solution of the exercise of that number, with (right, wrong) exchanged."""
    if isinstance(source, int):
        (path,) = SOLUTIONS.glob(f"{source:02}_*.py")
        source = path.read_text(encoding="utf-8")
    for right, wrong in changes:
        assert source.count(right) == 1, right
        source = source.replace(right, wrong)
    path = folder / "mine.py"
    path.write_text(source, encoding="utf-8")
    return check_here(path)


def told(result, name):
    """All sentences on one function."""
    finding = result.findings[name]
    return " ".join([*finding["sentences"], *finding.get("diagnosis", [])])
