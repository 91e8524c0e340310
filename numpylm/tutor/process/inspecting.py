"""What a student's file holds, as plain text and numbers for the parent. This file runs in the child process, without
numpylm."""

import ast
import builtins
import inspect
import os
import re
import sys

import numpy as np

from numpylm.tutor.process.reading import Source, run_file
from numpylm.tutor.process.stand_ins import Missing
from numpylm.tutor.process.syntax import (
    calls_in,
    counts,
    gradients_among,
    is_script,
    keeps,
    keys_in,
    made_in,
    names_in,
    returned,
    unpacked,
)

OLD_NAMES = {  # what NumPy has no more, and old code uses
    "float": float, "int": int, "bool": bool, "object": object, "row_stack": np.vstack, "product": np.prod,
    "float_": np.float64, "Inf": np.inf, "infty": np.inf, "NaN": np.nan,
}  # fmt: skip
ARRAY = np.array
MOST_NUMBERS = 100_000  # of an array of a function that is looked at
MODULE = "student"  # the name under which the student's file is imported


def old_array(*args, **kwargs):
    """np.array as in old NumPy: of rows of several lengths, it makes an array of objects."""
    try:
        return ARRAY(*args, **kwargs)
    except ValueError as error:
        if "inhomogeneous" not in str(error) or args[1:] or kwargs:
            raise
        return ARRAY(*args, dtype=object)


class Student:
    """The student's file as a module, what of numpylm it calls, and which solutions it opens."""

    def __init__(self, path, package):
        self.path, self.package, self.opened, self.called = path, package, set(), set()
        self.module, self.failures, self.source, self.local, self.calls = None, [], None, {}, []

    def load(self):
        """Read the file and run its plain statements; what it holds, for the parent."""
        folder = os.path.dirname(os.path.abspath(self.path))
        sys.path[:0] = [folder]
        sys.path.append(os.path.dirname(folder))
        sys.argv, sys.dont_write_bytecode = [self.path, *["a text that is not there"] * 4], True
        for name, value in OLD_NAMES.items():
            if name not in vars(np):
                setattr(np, name, value)
        np.array = old_array
        self.source = Source(self.path)
        scopes = [node for node in ast.walk(self.source.tree) if isinstance(node, ast.Module | ast.FunctionDef)]
        self.calls = [call for node in scopes for call in calls_in(node, self.source.functions)]
        self.module, self.failures = run_file(self.source, MODULE)
        return self.contents()

    def see_open(self, event, arguments):
        """Note a solution that the student's code opens or imports."""
        if event == "open" and isinstance(arguments[0], str):
            path, root = os.path.abspath(arguments[0]), os.path.dirname(self.package)
            if path != os.path.abspath(self.path) and path.startswith(os.path.join(root, "exercises", "solutions")):
                self.opened.add(os.path.relpath(path, root).replace("__pycache__" + os.sep, ""))

    def see_call(self, frame, event, _):
        """Note a function of numpylm that is called, and the arrays that a function of the file has when it ends."""
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(self.package + os.sep):
            self.called.add(code.co_name)
        if event == "return" and code.co_filename == self.path:
            made = [(n, v) for n, v in frame.f_locals.items() if n[:1] in "dg" and isinstance(v, np.ndarray)]
            self.local[code.co_name] = {name: array for name, array in made if array.size < MOST_NUMBERS}

    def contents(self):
        """What the file holds: functions and classes with their signatures, its EXERCISE, what failed."""
        held = [(name, value) for name, value in vars(self.module).items()
                if not name.startswith("__") and not isinstance(value, Missing)]  # fmt: skip
        exercise = vars(self.module).get("EXERCISE", [])
        files = os.listdir(os.path.dirname(os.path.abspath(self.path)))
        standard = sys.stdlib_module_names | {"numpy"}
        return {
            "functions": {name: self.signature(value) for name, value in held if callable(value)},
            "classes": {n: self.methods(v) for n, v in held if inspect.isclass(v) and v.__module__ == MODULE},
            "arrays": dict(array for n, v in reversed(held) for array in arrays_within(v, [n], 3)),
            "exercise": [str(name) for name in exercise] if isinstance(exercise, list | tuple) else [],
            "script": is_script(self.source.tree),
            "failures": self.failures, "notes": self.source.notes, "opened": sorted(self.opened),
            "hides": sorted(f for f in files if f.endswith(".py") and f[:-3] in standard),
        }  # fmt: skip

    def signature(self, value):
        """What is known of one callable: its parameters, and where it was written."""
        code = getattr(getattr(value, "__func__", value), "__code__", None)
        kind = "class" if inspect.isclass(value) else "function"
        library = inspect.isbuiltin(value) or isinstance(value, np.ufunc) or str(value.__class__.__module__) == "numpy"
        where, nodes = code.co_filename if code else "", self.nodes(code)
        taken_apart = list(unpacked(nodes))
        from_dicts = [name for text, names in taken_apart if text.endswith(".values()") for name in names]
        calls = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
        return {
            "kind": "library" if library else "made" if where.startswith("<") else kind,
            "parameters": parameters_of(value), "ours": where.startswith(self.package + os.sep),
            "own": where == self.path, "reads": list(code.co_names) if code else [],
            "gradients": gradients_among(code.co_varnames[code.co_argcount :]) if code else 0,
            "is_step": bool(code) and code.co_name in self.source.steps,
            "updates": self.source.steps.get(code.co_name, ()) if code else (),
            "returns": returned(nodes), "names": returned(nodes, by_name=True), "missing": self.missing(nodes, code),
            "unpacks": {text: names for text, names in taken_apart if not text.endswith(".values()")},
            "keys": keys_in(nodes) + from_dicts, "calls": [c for c in self.calls if code and c["name"] == code.co_name],
            "measured": [n.args[0].id for n in nodes if isinstance(n, ast.Call) and ast.unparse(n).startswith("len(")
                         and isinstance(n.args[0], ast.Name)],
            "makes": made_in(nodes),
            "indexed": [ast.unparse(n).removeprefix("self.") for n in nodes if isinstance(n, ast.Subscript)],
            "keeps": bool(code) and keeps(nodes, code.co_varnames),
            "loops": any(isinstance(n, ast.For | ast.While) for n in nodes),
            "goes_back": any(re.search(r"reversed|-1", ast.unparse(n.iter)) for n in nodes if isinstance(n, ast.For)),
            "appends": counts(nodes, ast.Add, [n.func.attr for n in calls if ast.unparse(n.func).startswith("self.")]),
            "pops": counts(nodes, ast.Sub, [n.func.attr for n in calls]),
            "asks": [n.func.attr for n in calls if "self" in ast.dump(n.func)],
        }  # fmt: skip

    def nodes(self, code):
        """The syntax tree's nodes of the function in the file that has this code."""
        for node in ast.walk(self.source.tree) if code and code.co_filename == self.path else []:
            if isinstance(node, ast.FunctionDef):
                lines = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
                if code.co_firstlineno in lines:
                    return list(ast.walk(node))
        return []

    def methods(self, kind):
        """Name -> signature of the methods that a class has from this file, without self, and without those that only
        its subclasses are to write."""
        found = {}
        for base in reversed([base for base in kind.__mro__ if base.__module__ == MODULE]):
            for name, value in vars(base).items():
                is_static = isinstance(value, staticmethod | classmethod)
                if is_static or inspect.isfunction(value):
                    told = self.signature(getattr(kind, name))
                    taken = told["parameters"] if is_static else (told["parameters"] or [])[1:]
                    is_empty = set(told["reads"]) <= {"NotImplementedError"} and not told["returns"]
                    if not (kind.__subclasses__() and is_empty):
                        found[name] = told | {"parameters": taken}
        return found

    def missing(self, nodes, code):
        """The global names that a function reads, and that nothing has made."""
        held = {name for name, value in vars(self.module).items() if not isinstance(value, Missing)}
        known = {*held, *dir(builtins), *(code.co_varnames if code else ())}
        reads, makes = ({name for node in nodes[:1] for name in names_in(node, how)} for how in (ast.Load, ast.Store))
        return sorted(reads - known - makes)


def arrays_within(value, path, depth):
    """(name, (path, shape)) of the real arrays in a global: in an object or dict of the file, under the last name."""
    inside = value if isinstance(value, dict) else vars(value) if type(value).__module__ == MODULE else {}
    inside = {0: value[0]} if isinstance(value, list) and len(value) == 1 else inside
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size:
        is_part = len(path) > 1 and path[-1] in ("v", "value", "val", "data", "w", "weight", 0)
        yield str(path[-2] if is_part else path[-1]), (path, list(value.shape))
    elif depth:
        for key, item in reversed(inside.items()) if not re.match(r"_?d?_?grad", str(path[-1])) else ():
            yield from arrays_within(item, [*path, key], depth - 1)


def parameters_of(function):
    """(name, kind, whether it has a default) of each parameter; None where they cannot be known."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name, p.default is not p.empty] for p in found]
