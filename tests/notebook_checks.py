"""What every notebook must keep to, found without running it: each check gives sentences about what is wrong.

complaints(path) are all of them for one notebook. notebooks/run.py runs them.
"""

import ast
import re
from contextlib import suppress
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import ModuleType

import nbformat

import numpylm
from numpylm.commands.cli import build_parser

ROOT = Path(__file__).parent.parent
LARGEST = 300_000  # bytes
FEWEST_CELLS, MOST_CELLS, LONGEST_CELL, LONGEST_LINE = 15, 25, 15, 100
ABSOLUTE = re.compile(r"(?<![\w.~/:-])/(?:home|tmp|work|root|usr|Users|var|opt|mnt)/\w|\b[A-Z]:\\\\?\w")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
DISPLAY = re.compile(r"\$\$.*?\$\$", re.DOTALL)
INLINE = re.compile(r"(?<![\w$\\])\$(?=[^\s$])[^$\n]*?(?<=[^\s$\\])\$(?![\w$])")


def complaints(path):
    """All that is wrong with one notebook, as sentences that begin with the cell's number where there is one."""
    notebook = nbformat.read(path, as_version=4)
    found = [f"{path.stat().st_size} bytes; at most {LARGEST}"] if path.stat().st_size > LARGEST else []
    found += wrong_shape(notebook, path)
    for number, cell in enumerate(notebook.cells, start=1):
        checks = code_checks if cell.cell_type == "code" else text_checks
        found += [f"cell {number}: {sentence}" for sentence in checks(cell, path)]
    return [*found, *wrong_order(notebook)]


def code_checks(cell, path):
    """What is wrong with a code cell and its outputs."""
    yield from wrong_outputs(cell)
    yield from wrong_code(cell.source)
    yield from unknown_names(cell.source)


def text_checks(cell, path):
    """What is wrong with a text cell."""
    yield from wrong_mathematics(cell.source)
    yield from wrong_links(cell.source, path.parent)
    yield from unknown_names(cell.source)
    yield from unknown_functions(cell.source)
    if ABSOLUTE.search(cell.source):
        yield f"an absolute path: {ABSOLUTE.search(cell.source)[0]}"


def wrong_shape(notebook, path):
    """Number of cells, title, picture, what the reader will do, learn and need, exercises, and what comes next."""
    cells = [cell for cell in notebook.cells if cell.get("id") != "install"]  # run.py adds this one
    if not FEWEST_CELLS <= len(cells) <= MOST_CELLS:
        yield f"{len(cells)} cells; {FEWEST_CELLS} to {MOST_CELLS} are right"
    titles = {name: f"{number}. {title}" for number, title, name in index_rows()}
    title = titles.get(path.name, "a title that notebooks/README.md lists")
    if cells[0].source.split("\n")[0] != f"# {title}":
        yield f'the first line must be "# {title}"'
    if not re.search(r"!\[[^\]]{10,}\]\(", cells[0].source):
        yield "the first cell must show a picture, with a text in place of it: ![what it shows](../figures/…)"
    for wanted in ("**You will do**", "**You will learn**", "**You need**"):
        if wanted not in "".join(cell.source for cell in cells[:2]):
            yield f"the first two cells must have {wanted}"
    for wanted in ("## Exercises", "**Further reading.**"):
        if not any(wanted in cell.source for cell in cells):
            yield f"there is no {wanted}"
    names = list(titles)
    after = names[names.index(path.name) + 1 :] if path.name in titles else []
    if after and f"**Next:** [{titles[after[0]]}]({after[0]})" not in cells[-1].source:
        yield f"the last cell must have **Next:** [{titles[after[0]]}]({after[0]})"


def wrong_order(notebook):
    """Cells that were not run, or not from top to bottom."""
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        yield f"not run from top to bottom: execution counts {counts}; python notebooks/run.py does it"


def wrong_outputs(cell):
    """Stored errors, warnings and absolute paths; source that is no longer the package's."""
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"a stored error: {output.ename}: {output.evalue}"
        if output.output_type == "stream" and output.name == "stderr":
            yield f"a stored warning: {output.text.strip()}"
        text = output_text(output)
        if ABSOLUTE.search(text):
            yield f"an absolute path in the output: {ABSOLUTE.search(text)[0]}"
        if "show_source" in cell.source:
            yield from stale_source(output.get("data", {}).get("text/plain", ""))


def output_text(output):
    """All the text of an output; pictures are left out."""
    data = output.get("data", {})
    return "\n".join([output.get("text", ""), *(data[kind] for kind in data if kind.startswith("text/"))])


def stale_source(text):
    """Lines below "# numpylm/….py" that are no longer in that file."""
    parts = re.findall(r"^# (numpylm/\S+\.py)\n\n(.*?)(?=^# numpylm/|\Z)", text, re.MULTILINE | re.DOTALL)
    for name, shown in parts:
        there = (ROOT / name).read_text(encoding="utf-8").split("\n") if (ROOT / name).exists() else []
        missing = [line for line in shown.strip("\n").split("\n") if line not in there]
        if missing:
            yield f"shows a line that is not in {name}: {missing[0].strip()!r}; run the notebook again"


def wrong_code(source):
    """Cells and lines that are too long, absolute paths, and second copies of the package's functions."""
    lines = source.split("\n")
    if len(lines) > LONGEST_CELL:
        yield f"{len(lines)} lines; at most {LONGEST_CELL}"
    yield from [f"a line of {len(line)} columns; at most {LONGEST_LINE}" for line in lines if len(line) > LONGEST_LINE]
    if not source.strip():
        yield "an empty cell"
    if ABSOLUTE.search(source):
        yield f"an absolute path: {ABSOLUTE.search(source)[0]}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in package_definitions():
            yield f"defines {node.name}, which the package has: show and call the package's"


@cache
def package_definitions():
    """The names of the functions and classes that the modules at the package's top, base and kinds define, but for
    private ones."""
    names = set()
    for path in chain(*[(ROOT / "numpylm" / folder).glob("*.py") for folder in ("", "base", "kinds")]):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        names |= {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return {name for name in names if not name.startswith("_")}


@cache
def commands():
    """The names of the command line's commands."""
    return set(build_parser()._subparsers._group_actions[0].choices)


def unknown_names(source):
    """nlm.… and numpylm.… that lead nowhere, files of the package that are not there, commands that do not exist."""
    for name in re.findall(r"(?<![\w/.])(?:nlm|numpylm)(?:\.[A-Za-z_]\w*)+", source):
        if not resolves(name.split(".")[1:]):
            yield f"there is no {name}"
    for name in re.findall(r"(?<![\w.-])numpylm(?:/\w+)+(?:\.py)?", source):
        if not (ROOT / name).exists():
            yield f"there is no file {name}"
    for name in re.findall(r"python -m numpylm ([a-z]\w*)", source):
        if name not in commands():
            yield f"there is no command {name}"


def resolves(parts):
    """Whether numpylm.a.b.c is there: modules, what they define, and attributes of it."""
    place, path = numpylm, "numpylm"
    for part in parts:
        path += f".{part}"
        if isinstance(place, ModuleType):
            with suppress(ImportError):
                import_module(path)
        if not hasattr(place, part):
            return False
        place = getattr(place, part)
    return True


def unknown_functions(text):
    """Functions in backticks, such as `lstm_step_backward`, that the package does not define."""
    for name in re.findall(r"`([a-z]\w*_(?:step|forward|backward|step_backward))(?:\(.*?\))?`", text):
        if name not in package_definitions() and not name.startswith("my_"):
            yield f"there is no function {name}"


def wrong_mathematics(text):
    """Mathematics that would not be rendered everywhere."""
    text = re.sub(r"(`+)[^`\n]+?\1", "", FENCE.sub("", text))
    if text.count("$$") % 2:
        yield "an odd number of $$"
        return
    for found in DISPLAY.finditer(text):
        before, after = text[: found.start()], text[found.end() :]
        if (before and not before.endswith("\n\n")) or (after and not after.startswith("\n\n")):
            yield f"display mathematics needs a blank line before and after it: {found[0][:40]!r}"
        if "\n\n" in found[0]:
            yield f"a blank line within display mathematics: {found[0][:40]!r}"
    rest = DISPLAY.sub("", text)
    for line in rest.split("\n"):
        if line.startswith("|") and any("|" in formula for formula in INLINE.findall(line)):
            yield f"| in a table's formula ends the column; write \\lVert, \\mid: {line[:40]!r}"
        if "$" in INLINE.sub("", line):
            yield f"a $ that is no pair, or has a space or a letter beside it: {line[:60]!r}"
        for formula in INLINE.findall(line) + DISPLAY.findall(text):
            if formula.count("{") - formula.count(r"\{") != formula.count("}") - formula.count(r"\}"):
                yield f"braces that do not pair: {formula[:60]!r}"


def wrong_links(text, folder):
    """Links and pictures whose file is not there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text)):
        if not re.match(r"https?://|#|data:", target) and not (folder / target.partition("#")[0]).exists():
            yield f"a link that leads nowhere: {target}"


def index_rows():
    """(number, title, file name) of the notebooks that notebooks/README.md lists, in their order."""
    index = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| \[([^\]]+)\]\((\w+\.ipynb)\)", index, re.MULTILINE)
    return [(int(number), title, name) for number, title, name in rows]
