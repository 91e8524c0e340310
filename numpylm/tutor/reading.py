"""Reads a student's file without running its training: imports, definitions and plain assignments.

Loops without end, plots, calls that train or print, and `if __name__ == "__main__"` are left out. A statement that
fails, such as an import of what is not installed, does not stop the rest. The text that a script opens is replaced by
a small one, and its large sizes by small ones, so that weights made from them are small too. This file runs in the
child process, without numpylm.
"""

import ast
import builtins
import io
import linecache
import re
import sys
import types
import warnings

from numpylm.tutor.old_python import (
    TEXT_NAME,
    OldDivision,
    Unreadable,
    from_python_2,
    notebook_text,
    old_division,
    python_text,
    syntax_lines,
)
from numpylm.tutor.sizes import SIZES, size_of
from numpylm.tutor.stand_ins import TEXT, stand_in
from numpylm.tutor.supplied import course_forwards, with_steps

DATA = re.compile("te?xt|data|corpus", re.IGNORECASE)  # in the name of what a text stands for
NOT_PLAIN = {"input", "exec", "eval", "exit", "quit", "breakpoint", "plt", "argparse", "system", "urlretrieve", "popen"}


class Source:
    """A file's text as a syntax tree: path, tree, notes on how it was read, and the names of what it defines."""

    def __init__(self, path):
        self.path, self.notes = path, []
        text = notebook_text(path) if path.endswith(".ipynb") else python_text(path)
        self.tree = self.parse(text)
        added = course_forwards(self.tree)
        self.tree.body += added
        self.added = [node.name for node in added]
        self.steps = with_steps(self.tree)  # functions that go forward and backward in a loop
        linecache.cache[path] = (len(text), None, text.splitlines(True), path)
        self.functions = {n.name for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef)}  # and methods
        self.read = names_read(node for node in self.tree.body if isinstance(node, DEFINITIONS))

    def parse(self, text):
        """The syntax tree, also of Python 2 whose only difference is the print statement. Raises Unreadable."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(text, TEXT_NAME)
        except (SyntaxError, ValueError) as error:
            newer = from_python_2(text)
            if newer is None:
                raise Unreadable(*syntax_lines(error, self.path)) from error
            self.notes.append("this file is written for Python 2; it is read without its print statements")
            tree = ast.parse(newer)
            return tree if re.search(r"^from __future__ import.*division", text, re.M) else OldDivision().visit(tree)


DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def names_read(nodes):
    """All names that some statements read."""
    return {
        name.id
        for node in nodes
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load)
    }


def names_bound(node):
    """The names that a statement would make."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(name.asname or name.name).partition(".")[0] for name in node.names]
    if isinstance(node, DEFINITIONS):
        return [node.name]
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def plain_statements(source, nodes):
    """The statements to run, in order: imports, definitions, plain assignments; the bodies of if and try likewise."""
    for node in nodes:
        if (
            isinstance(node, (ast.Import, ast.ImportFrom, *DEFINITIONS))
            or (isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and is_plain(source, node, True))
            or (isinstance(node, ast.For) and is_plain(source, node, False))
            or (fills_a_list(node) and is_plain(source, node, False))
        ):
            yield node
        elif isinstance(node, ast.With) and all("open" in ast.dump(item) for item in node.items):
            kept = [inner for inner in plain_statements(source, node.body) if is_plain(source, inner, False)]
            if kept:
                yield ast.copy_location(ast.With(items=node.items, body=kept), node)
        elif isinstance(node, ast.Try) or (isinstance(node, ast.If) and "__name__" not in ast.dump(node.test)):
            kept = list(plain_statements(source, node.body))
            if kept:
                node.body = kept
                yield node


def fills_a_list(node):
    """Whether a statement is a call such as weights.append(…)."""
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and getattr(call.func, "attr", "") in ("append", "extend", "update")


def is_plain(source, node, may_call):
    """Whether a statement only computes values. may_call says whether it may call the file's own functions."""
    if isinstance(node, ast.For) and not all(isinstance(n, ast.Assign | ast.AugAssign) for n in node.body):
        return False
    inside = list(ast.walk(node))
    if any(isinstance(n, ast.While | ast.Delete) for n in inside):
        return False
    called = [n.func for n in inside if isinstance(n, ast.Call)]
    names = {n.id for n in called if isinstance(n, ast.Name)} | {n.attr for n in called if isinstance(n, ast.Attribute)}
    if names_read([node]) & NOT_PLAIN or names & NOT_PLAIN:
        return False
    made = set(names_bound(node))
    is_used = bool(made & source.read) or not made or any(DATA.search(n) for n in made)
    return not names & source.functions or (may_call and is_used)


class SmallSizes(ast.NodeTransformer):
    """Large sizes become small ones: of globals, and where an object sets them, as in self.hidden_size = 100.

    A constructor goes on where a file that it reads is not there.
    """

    is_inside = False

    def visit_Assign(self, node):
        is_local = self.is_inside and not isinstance(node.targets[0], ast.Attribute)
        return node if is_local else with_small_size(node)

    def visit_FunctionDef(self, node):
        self.is_inside = True
        self.generic_visit(node)
        if node.name == "__init__":
            node.body = [with_pass(line) if isinstance(line, ast.Assign) else line for line in node.body]
        return node


def with_pass(line):
    """A statement in a try, that passes over a file that is not there."""
    handler = ast.ExceptHandler(ast.Name("OSError", ast.Load()), None, [ast.Pass()])
    return ast.copy_location(ast.Try([line], [handler], [], []), line)


def with_small_size(node):
    """An assignment, with smaller numbers where a name says that it is a size."""
    pairs = [(target, node.value) for target in node.targets]
    if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
        pairs = zip(node.targets[0].elts, node.value.elts, strict=False)
    for target, value in pairs:
        small = SIZES.get(size_of(getattr(target, "id", getattr(target, "attr", "")), True))
        if isinstance(value, ast.Constant) and type(value.value) is int and small and value.value > small:
            value.value = small
    return node


def open_text(path, mode="r", *args, **kwargs):
    """What open is in a student's file: a file that is not there is a small text."""
    try:
        return open(path, mode, *args, **kwargs)
    except OSError:
        return io.BytesIO(TEXT.encode()) if "b" in mode else io.StringIO(TEXT)


def run_file(source, module_name):
    """(module, failures): each failure says line, names and error of a statement that could not be run."""
    module = types.ModuleType(module_name)
    module.__file__ = source.path
    module.__dict__.update(
        open=open_text,
        __old_division__=old_division,
        xrange=range,
        unicode=str,
        __builtins__=builtins,
    )
    sys.modules[module_name] = module  # dataclasses look their module up
    failures = []
    for node in plain_statements(source, source.tree.body):
        node = from_beside(SmallSizes().visit(node))
        try:
            tree = ast.fix_missing_locations(ast.Module([node], []))
            exec(compile(tree, source.path, "exec"), module.__dict__)
        except BaseException as error:
            failures.append(failure(node, error))
            stand_in(module, failures[-1], source.read)
            if not isinstance(node, (ast.Import, ast.ImportFrom, *DEFINITIONS)):
                names = failures[-1]["names"]
                vars(module).update({n: SIZES[size_of(n)] for n in names if size_of(n)})
                vars(module).update({n: TEXT for n in names if DATA.search(n)})
    for node in source.tree.body:
        names = [n for n in names_bound(node) if not hasattr(module, n)]
        failures += [{"line": node.lineno, "names": names, "error": "the check leaves it out"}] if names else []
    return module, failures


def from_beside(node):
    """An import from the file's own package as an import from its folder, which is on the path."""
    if isinstance(node, ast.ImportFrom) and node.level:
        if node.module is None:
            return ast.copy_location(ast.Import(node.names), node)
        node.level = 0
    return node


def failure(node, error):
    """What is known of a statement that could not be run."""
    words = "it ends the program" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
    return {"line": node.lineno, "names": names_bound(node), "error": words[:300]}
