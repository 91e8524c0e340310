"""A student's file as a module, and what is in it: known functions, others, what an exercise asks for."""

import importlib.machinery
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path

import numpy as np

from numpylm.student.assignments import ASSIGNMENTS
from numpylm.student.crash import MODULE, crash_sentence, memory_note, short
from numpylm.student.stop import Stop


def load(path):
    """The student's file as a module. Raises Stop where it cannot be read or run.

    What the check itself needs is imported before: a file of the student's may have the name of a module.
    """
    np.random.default_rng(0)
    importlib.import_module("numpylm.diagnosis.diagnose")
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path(path).resolve().parent))
    spec = importlib.util.spec_from_loader(MODULE, importlib.machinery.SourceFileLoader(MODULE, str(path)))
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, UnicodeDecodeError) as error:
        text = "".join(traceback.format_exception_only(error)).rstrip().replace(str(path), Path(path).name)
        raise Stop("syntax", "Python cannot read the file:", code=text.splitlines()) from error
    except NotImplementedError as error:
        raise Stop("crash", "the file raises NotImplementedError while it is read", code=short(error, path)) from error
    except BaseException as error:
        raise Stop(
            "crash", crash_sentence(error, "while the file is read"), **memory_note(error), code=short(error, path)
        ) from error
    return module


def student_functions(module):
    """Name -> function of the known ones that the file holds, not those it imports from numpylm or from C."""
    return {
        name: vars(module)[name]
        for name in ASSIGNMENTS
        if callable(vars(module).get(name)) and is_students(vars(module)[name])
    }


def is_students(function):
    """Whether a function was written in Python, and not in this package."""
    home = str(getattr(function, "__module__", ""))
    is_python = not (inspect.isbuiltin(function) or inspect.isclass(function) or isinstance(function, np.ufunc))
    return is_python and home.partition(".")[0] != "numpylm"


def exercise_names(module):
    """What an exercise file asks for: its EXERCISE, a list of names."""
    names = vars(module).get("EXERCISE", [])
    return [str(name) for name in names] if isinstance(names, list | tuple) else []


def other_names(module):
    """The file's other functions, among which a misspelt one may be."""
    found = [name for name, value in vars(module).items() if inspect.isfunction(value) and name not in ASSIGNMENTS]
    return [name for name in found if vars(module)[name].__module__ == MODULE]


def hidden_modules(path):
    """The files of the same folder that hide a module of Python's, or NumPy, from all code that runs there."""
    names = {file.stem: file.name for file in Path(path).resolve().parent.glob("*.py")}
    return [names[name] for name in sorted(names) if name in sys.stdlib_module_names or name == "numpy"]
