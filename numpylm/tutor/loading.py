"""A student's file as a module, and what is in it: known functions, others, what an exercise asks for."""

import importlib.machinery
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path

import numpy as np

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.crash import MODULE, crash_sentence, memory_note, short
from numpylm.tutor.stop import Stop


def load(path):
    """The student's file as a module. Raises Stop where it cannot be read or run.

    What the check itself needs is imported before: a file of the student's may have the name of a module.
    """
    if Path(path).suffix == ".ipynb":
        raise Stop("syntax", "this is a notebook: save its functions in a .py file, and check that")
    np.random.default_rng(0)
    importlib.import_module("numpylm.tutor.diagnose")
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path(path).resolve().parent))
    spec = importlib.util.spec_from_loader(MODULE, importlib.machinery.SourceFileLoader(MODULE, str(path)))
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module  # dataclasses look their module up
    sys.argv = [str(path)]  # a file that reads its command line is to find none of ours
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
    is_python = not (inspect.isbuiltin(function) or inspect.isclass(function) or isinstance(function, np.ufunc))
    return is_python and not is_ours(function)


def exercise_names(module):
    """What an exercise file asks for: its EXERCISE, a list of names."""
    names = vars(module).get("EXERCISE", [])
    return [str(name) for name in names] if isinstance(names, list | tuple) else []


def other_names(module):
    """The file's other functions, among which a misspelt one may be."""
    found = [name for name, value in vars(module).items() if inspect.isfunction(value) and name not in ASSIGNMENTS]
    return [name for name in found if vars(module)[name].__module__ == MODULE]


def methods(module):
    """Name -> class, of the known names that are methods of one of the file's classes, and no functions of its own."""
    classes = [value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == MODULE]
    return {
        name: each.__name__
        for each in classes
        for name in vars(each)
        if name in ASSIGNMENTS and name not in vars(module)
    }


def library_functions(module):
    """The known names under which the file holds a library's function, such as NumPy's: these are not checked."""
    return [
        name
        for name in ASSIGNMENTS
        if callable(vars(module).get(name)) and not is_students(vars(module)[name]) and not is_ours(vars(module)[name])
    ]


def is_ours(function):
    """Whether a function is of this package."""
    return str(getattr(function, "__module__", "")).partition(".")[0] == "numpylm"


def hidden_modules(path):
    """The files of the same folder that hide a module of Python's, or NumPy, from all code that runs there."""
    names = {file.stem: file.name for file in Path(path).resolve().parent.glob("*.py")}
    return [names[name] for name in sorted(names) if name in sys.stdlib_module_names or name == "numpy"]
