"""The syntax tree of a student's file or notebook, also of one in Python 2. It runs in the child process."""

import ast
import json
import os
import re
import sys
import tokenize
import traceback
import warnings

TEXT_NAME = "<text>"  # for a file's own name, Python would show the line of the file: in a notebook, another


class Unreadable(Exception):
    """The file is no Python that can be read; the arguments are sentences."""


def tree_of(path):
    """(syntax tree, text, notes on how it was read) of a file. Raises Unreadable.

    In Python 2, prints and a few old forms are all that may be old, and division leaves the rest out.
    """
    text = without_commands(notebook_text(path) if path.endswith(".ipynb") else python_text(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, TEXT_NAME), text, []
    except (SyntaxError, ValueError) as error:
        tree = from_python_2(text)
        if tree is None:
            raise Unreadable(*syntax_lines(error, path)) from error
    return tree, text, ["this file is written for Python 2; it is read without its print statements"]


def python_text(path):
    """The text of a .py file, in the encoding that it names."""
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise Unreadable("Python cannot read the file:", f"{type(error).__name__}: {error}") from error


def notebook_text(path):
    """The code cells of a notebook, one after another, without its magic commands."""
    try:
        with open(path, encoding="utf-8") as file:
            cells = json.load(file)["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unreadable("this is no notebook that can be read: it holds no list of cells with a source") from error
    return "\n\n".join(source for source in sources if not source.startswith("%%"))


def without_commands(text):
    """A text without the commands of a notebook, such as %matplotlib inline, which a script may have kept."""
    return re.sub(r"^([ \t]*)(%\w|[!?]).*", r"\1pass", text, flags=re.M)


def from_python_2(text):
    """The tree of a text without its print statements, and with new forms of a few others; None where more is old."""
    lines, depth, is_open = [], 0, False
    for line in text.expandtabs(8).split("\n"):
        found = re.match(r"([ ]*(?:[^#'\"]*:[ ]+)?)print\b", line)
        if found or is_open:
            depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
            is_open, depth = depth > 0 or line.endswith("\\"), max(depth, 0)
            lines.append(f"{found[1]}pass" if found else "")
        else:
            lines.append(line)
    newer = re.sub(r"except ([\w.]+), (\w+):", r"except \1 as \2:", "\n".join(lines))
    newer = re.sub(r"raise (\w+), .*", r"raise \1", re.sub(r"`([^`\n]+)`", r"repr(\1)", newer))
    try:
        tree = ast.parse(newer)
    except (SyntaxError, ValueError):
        return None
    return tree if re.search(r"^from __future__ import.*division", text, re.M) else OldDivision().visit(tree)


def syntax_lines(error, path):
    """What to say of a file that Python cannot read."""
    text = getattr(error, "text", None) or ""
    if re.match(r"\s*(print\s+[^(=\s]|exec\s+['\"]|raise \w+, )", text) or "print" in str(getattr(error, "msg", "")):
        where = f"line {error.lineno}: {text.strip()}"
        return (f"this file is written for Python 2 ({where}). Translate it first: the program 2to3 does so",)
    lines = "".join(traceback.format_exception_only(error)).rstrip().replace(TEXT_NAME, os.path.basename(path))
    return ("Python cannot read the file:", *lines.splitlines())


class OldDivision(ast.NodeTransformer):
    """Division as in Python 2: of whole numbers, it leaves the rest out."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return ast.copy_location(ast.Call(ast.Name("__old_division__", ast.Load()), [node.left, node.right], []), node)


def old_division(a, b):
    """a / b in Python 2."""
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


def package_of(path):
    """The names of the packages that a file is in, the outermost first, whose folder is put on the path."""
    folder, names = os.path.dirname(os.path.abspath(path)), []
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
        names.insert(0, name)
    sys.path += [folder] if names else []
    return names


def from_beside(node, package):
    """An import from the file's own package by its whole name; without one, as an import from the file's folder."""
    if isinstance(node, ast.ImportFrom) and node.level:
        names = [*package[: len(package) + 1 - node.level], *([node.module] if node.module else [])]
        if not names:
            return ast.copy_location(ast.Import(node.names), node)
        node.module, node.level = ".".join(names), 0
    return node
