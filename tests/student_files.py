"""Students' files, checked in the tests' own process: `check` starts one for each, which takes its time."""

import io
import shutil
import sys
import textwrap
from pathlib import Path

from numpylm.tutor.checking import check_file
from numpylm.tutor.process import child, inspecting, runner, wire

SOLUTIONS = Path(__file__).parent.parent / "exercises" / "solutions"


class Here(child.Child):
    """Stands for the child process: the same requests and replies, over the same wire, in this process."""

    def start(self):
        self.kept = list(sys.path), sys.dont_write_bytecode, sys.argv
        self.process, self.student = self, inspecting.Student(str(self.path), str(child.PACKAGE))
        return self.ask({"load": True})

    def ask(self, request, seconds=None):
        return over_the_wire(runner.answer(self.student, over_the_wire(request, wire.make_record)))

    def end(self):
        if self.process:
            sys.path[:], sys.dont_write_bytecode, sys.argv = self.kept
            sys.modules.pop(inspecting.MODULE, None)
        self.process = None


def over_the_wire(tree, *make_record):
    """A tree as it arrives on the other side."""
    stream = io.BytesIO()
    wire.write_message(stream, tree)
    stream.seek(0)
    return wire.read_message(stream, *make_record)


def check_here(path, seed=1, **options):
    """The Result for a file whose functions neither hang nor end the process."""
    return check_file(path, start=Here, seed=seed, **options)


def check_in_child(folder, source, name="mine.py", **options):
    """The Result for a source, in a process of its own."""
    path = folder / name
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return check_file(path, **({"seconds": 30, "seed": 1} | options))


def check_source(folder, source, *changes, seed=1):
    """The Result for a source, or for the solution of the exercise of that number, with (right, wrong) exchanged."""
    if isinstance(source, int):
        (path,) = SOLUTIONS.glob(f"{source:02}_*.py")
        shutil.copytree(SOLUTIONS, folder, dirs_exist_ok=True)  # one exercise goes on with another's solution
        source = path.read_text(encoding="utf-8")
    for right, wrong in changes:
        assert source.count(right) == 1, right
        source = source.replace(right, wrong)
    path = folder / "mine.py"
    path.write_text(source, encoding="utf-8")
    return check_here(path, seed)


def statuses(result):
    """Name -> status."""
    return {name: finding["status"] for name, finding in result.findings.items()}


def wrong_in(result, name):
    """The names of the gradients that are wrong, of a function whose status is wrong."""
    finding = result.findings[name]
    assert finding["status"] == "wrong", finding
    return {row["name"] for row in finding["table"]}


def told(result, name):
    """All sentences on one function."""
    finding = result.findings[name]
    return " ".join([*finding["sentences"], *finding.get("diagnosis", [])])
