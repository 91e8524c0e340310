"""Reads a student's file without running its training: imports, definitions and plain assignments.

Loops without end, plots, and calls that train or print are left out. A statement that fails, such as an import of what
is not installed, does not stop the rest. The text that a script opens is replaced by a small one, and its large sizes
by small ones, so that weights made from them are small too. This file runs in the child process, without numpylm.
"""

import ast
import builtins
import contextlib
import io
import linecache
import re
import signal
import sys
import types

from numpylm.tutor.process.parsing import from_beside, old_division, package_of, tree_of
from numpylm.tutor.process.sizes import SIZES, size_of
from numpylm.tutor.process.stand_ins import TEXT, stand_in
from numpylm.tutor.process.supplied import with_steps
from numpylm.tutor.process.syntax import DEFINITIONS, names_bound, names_in

LONGEST = 2  # seconds, of a statement that is no import
DATA = re.compile("te?xt|data|corpus", re.IGNORECASE)  # in the name of what a text stands for
SAVED = re.compile(r"\.(p|pk\w*|pickle|np[yz]|h5)$|model|weight|param|checkpoint", re.IGNORECASE)  # files of weights
TRAINS = re.compile(r"^_?(train|fit|learn)(_?(all|model|net\w*|rnn|lstm|gru|loop|epochs?))?$", re.IGNORECASE)
NOT_PLAIN = {"input", "exec", "eval", "exit", "quit", "breakpoint", "plt", "argparse", "system", "urlretrieve", "popen"}


class Source:
    """A file's text as a syntax tree: path, tree, notes on how it was read, and the names of what it defines."""

    def __init__(self, path):
        self.path = path
        self.tree, text, self.notes = tree_of(path)
        self.steps = with_steps(self.tree)  # functions that go forward and backward in a loop
        linecache.cache[path] = (len(text), None, text.splitlines(True), path)
        self.functions = {n.name for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef)}  # and methods
        definitions = [node for node in self.tree.body if isinstance(node, DEFINITIONS)]
        self.defined = {node.name for node in definitions}
        self.read = {name for node in definitions for name in names_in(node, ast.Load)}


ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)


def is_import(node):
    """Whether a statement is an import, also one that is tried."""
    return isinstance(node, ast.Import | ast.ImportFrom) or (
        isinstance(node, ast.Try) and isinstance(node.body[0], ast.Import | ast.ImportFrom)
    )


def plain_statements(source, nodes):
    """The statements to run, in order: imports, definitions, plain assignments; those in if, try and with likewise."""
    for node in nodes:
        is_file = isinstance(node, ast.With) and "open" in ast.dump(node.items[0])
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            yield from plain_statements(source, node.body)
        elif is_file or isinstance(node, ast.If | ast.Try):
            node.body = list(plain_statements(source, node.body))
            if node.body:
                yield node
        elif isinstance(node, (ast.Import, ast.ImportFrom, *DEFINITIONS)) or is_plain(source, node):
            yield node


def is_plain(source, node):
    """Whether a statement only computes values: an assignment, a loop of them, or a call such as weights.append(…)."""
    is_loop = isinstance(node, ast.For) and all(
        isinstance(line, ast.Assign | ast.AugAssign) or fills_a_list(line) for line in node.body
    )
    inside, reads = list(ast.walk(node)), set(names_in(node, ast.Load))
    is_value = isinstance(node, ASSIGNMENTS) or is_loop or fills_a_list(node)
    if not is_value or any(isinstance(n, ast.While) for n in inside):
        return False
    called = [n.func for n in inside if isinstance(n, ast.Call)]
    names = {getattr(function, "id", getattr(function, "attr", "")) for function in called}
    made = set(names_bound(node))
    is_used = bool(made & source.read) or not made or any(DATA.search(n) for n in made)
    may_call = isinstance(node, ASSIGNMENTS) and is_used  # the file's own functions
    is_left = (reads | names) & NOT_PLAIN or made & source.defined or any(map(TRAINS.search, names))
    return not is_left and (may_call or not names & source.functions)


def fills_a_list(node):
    """Whether a statement is a call such as weights.append(…)."""
    called = getattr(node.value, "func", None) if isinstance(node, ast.Expr) else None
    return getattr(called, "attr", "") in ("append", "extend", "update")


class SmallSizes(ast.NodeTransformer):
    """Large sizes become small ones: of globals, and where an object sets them, as in self.hidden_size = 100.

    A constructor goes on where a file that it reads is not there.
    """

    is_inside = False
    large = frozenset()  # the large sizes of globals; the same number as a local size becomes small too

    def visit_Assign(self, node):
        is_local = self.is_inside and not isinstance(node.targets[0], ast.Attribute)
        is_size = size_of(getattr(node.targets[0], "id", ""))
        if is_local and not is_size and getattr(node.value, "value", None) not in self.large:
            return node
        before = numbers_in(node)
        node = with_small_size(node)
        self.large |= before - numbers_in(node)
        return node

    def visit_FunctionDef(self, node):
        self.is_inside = True
        self.generic_visit(node)
        named = zip(reversed(node.args.args), reversed(node.args.defaults), strict=False)
        for name, value in named:  # as in vocab_size=27
            shrink(value, SIZES.get(size_of(name.arg)))
        if node.name == "__init__":
            node.body = [with_pass(line) if isinstance(line, ast.Assign) else line for line in node.body]
        return node


def numbers_in(node):
    """The whole numbers that a piece of a tree holds."""
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and type(n.value) is int}


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
        is_sum = all(isinstance(n, ast.BinOp | ast.operator | ast.Constant) for n in ast.walk(value))
        if small and is_sum and isinstance(value, ast.BinOp):  # such as 90 - 20
            value.left, value.op, value.right = ast.Constant(small), ast.Add(), ast.Constant(0)
        shrink(value, small)
    return node


def shrink(value, small):
    """Makes a whole number no larger than a small size; small is None for what is no size."""
    if small and isinstance(value, ast.Constant) and type(value.value) is int and value.value > small:
        value.value = small


def open_text(path, mode="r", *args, **kwargs):
    """What open is in a student's file: a file that is not there is a small text."""
    try:
        return open(path, mode, *args, **kwargs)
    except OSError:
        if "b" in mode and SAVED.search(str(path)):
            raise  # the weights stay as they were made
        return io.BytesIO(TEXT.encode()) if "b" in mode else io.StringIO(TEXT)


def run_file(source, module_name):
    """(module, failures): each failure says line, names and error of a statement that could not be run."""
    module = types.ModuleType(module_name)
    module.__file__ = source.path
    vars(module).update(open=open_text, __old_division__=old_division, xrange=range, unicode=str, __builtins__=builtins)
    sys.modules[module_name] = module  # dataclasses look their module up
    failures, package, sizes = [], package_of(source.path), SmallSizes()
    for node in plain_statements(source, source.tree.body):
        sizes.is_inside = False
        node = from_beside(sizes.visit(node), package)
        try:
            tree = ast.fix_missing_locations(ast.Module([node], []))
            with time_limit(None if is_import(node) else LONGEST):
                exec(compile(tree, source.path, "exec"), module.__dict__)
            empty = [n for n in names_bound(node) if size_of(n) == "V" and str(vars(module).get(n)) == "0"]
            vars(module).update(dict.fromkeys(empty, SIZES["V"]))  # of a text that is not there
        except BaseException as error:
            failures.append(failure(node, error))
            if is_import(node):
                stand_in(module, failures[-1], source.read)
            elif not isinstance(node, DEFINITIONS):
                names, value = failures[-1]["names"], getattr(node, "value", None)
                sizes_by_name = {n: size_of(n) or size_of(getattr(value, "attr", "")) for n in names}  # n = args.size
                vars(module).update({n: SIZES[size] for n, size in sizes_by_name.items() if size})
                vars(module).update({n: TEXT for n in names if DATA.search(n)})
    make_globals(source, module)
    return module, [*failures, *left_out(source, module)]


def left_out(source, module):
    """What is known of the statements that were not run, and whose names are not there."""
    for node in source.tree.body:
        names = [n for n in names_bound(node) if not hasattr(module, n)]
        if names:
            yield {"line": node.lineno, "names": names, "error": "the check leaves it out", "is_told": False}


def make_globals(source, module):
    """Call the functions without parameters that make globals which the file lacks, such as init_weights()."""
    for node in [node for node in source.tree.body if isinstance(node, ast.FunctionDef) and not node.args.args]:
        made = [name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names]
        trains = TRAINS.search(node.name) or node.name in source.steps
        if made and not trains and not all(hasattr(module, name) for name in made):
            known = vars(builtins) | vars(module)
            lacking = [name for name in names_in(node, ast.Load) if name not in known and size_of(name)]
            vars(module).update({name: SIZES[size_of(name)] for name in lacking})
            with contextlib.suppress(BaseException), time_limit(LONGEST):
                getattr(module, node.name)()


class TooLong(BaseException):
    """A statement takes longer than the check waits: it is left out."""


@contextlib.contextmanager
def time_limit(seconds):
    """Raises TooLong in what takes longer; not on Windows, where the whole file has one limit."""

    def stop(*_):
        raise TooLong(f"it took more than {seconds} seconds")

    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def failure(node, error):
    """What is known of a statement that could not be run."""
    words = "it ends the program" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
    is_told = is_import(node) or isinstance(node, DEFINITIONS)
    return {"line": node.lineno, "names": names_bound(node), "error": words[:300], "is_told": is_told}
