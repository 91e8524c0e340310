"""What the notebooks use: they show the package's own source and its records, and run an exercise's test.

    show_source(lstm_step)    the function as it stands in its file
    show(step)                each array of a record: name, shape, numbers
    @attempt                  runs an exercise's test, and says how far one is

Importing this module lets IPython show the package's records as such tables too, also in JupyterLab's Variables pane
(right-click, Render Variable). The results can be printed in a terminal: nothing here needs Jupyter.
"""

import html
import inspect
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpylm import gru, lstm, rnn

PACKAGE = Path(__file__).parent
SOURCE_STYLE = "font-family: monospace; white-space: pre; overflow-x: auto"  # a long line scrolls, and is not broken
WIDTH = 88  # columns that a notebook's output shows without a line break


class Source(NamedTuple):
    """Python source: (its file as a path from the repository's root, its text) for each function or class."""

    parts: list

    def __repr__(self):
        return "\n\n".join(f"# {path}\n\n{text}" for path, text in self.parts)

    def _repr_html_(self):
        """For a notebook: each part below a link to its file, in colours where Pygments is installed."""
        return "\n".join(f'<a href="../{path}">{path}</a>\n{highlighted(text)}' for path, text in self.parts)


def highlighted(text):
    """Python source as HTML, with the colours in it and no background, so that dark pages can show it too."""
    try:
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer
    except ImportError:
        return preformatted(text)
    form = HtmlFormatter(noclasses=True, nobackground=True, prestyles=SOURCE_STYLE)
    return highlight(text, PythonLexer(), form)


def preformatted(text):
    """Text as HTML that keeps its lines."""
    return f'<pre style="{SOURCE_STYLE}">{html.escape(text)}</pre>'


class Table(str):
    """Aligned lines, as show makes them: a notebook shows them as they are."""

    __repr__ = str.__str__


def show_source(*functions):
    """The source of one or several of the package's functions or classes, as a Source.

    Raises TypeError for what is not the package's.
    """
    if not functions:
        raise TypeError("expected one or several functions or classes of numpylm; got none")
    return Source([source_of(function) for function in functions])


def source_of(function):
    """(path, text) of one function."""
    try:
        path = Path(inspect.getsourcefile(function)).relative_to(PACKAGE)
        text = inspect.getsource(function).rstrip()
    except (TypeError, ValueError, OSError):
        raise TypeError(f"expected a function or class of numpylm; got {function!r}") from None
    return (Path(PACKAGE.name) / path).as_posix(), text


def show(record=None, /, digits=3, **arrays):
    """The arrays of a record or dict, or those given by name, as a Table: name, shape, and numbers rounded to digits.

    An array of more than two axes is shown matrix by matrix, each after its index; of a matrix of more than 200 numbers
    only the corners. Raises TypeError for anything else.
    """
    named = arrays if record is None else fields_of(record) | arrays
    if not named:
        raise TypeError("expected a record, a dict, or arrays by name; got nothing to show")
    labels = [(name, str(np.shape(array))) for name, array in named.items()]
    widths = [max(len(label[k]) for label in labels) for k in range(2)]
    lines = []
    for (name, shape), array in zip(labels, named.values(), strict=True):
        start = f"{name:<{widths[0]}}  {shape:<{widths[1]}}  "
        numbers = numbers_of(np.asarray(array), digits)
        lines += [(start if k == 0 else " " * len(start)) + line for k, line in enumerate(numbers)]
    return Table("\n".join(lines))


def register_records():
    """Let IPython, where it runs, show each cell's steps, gradients, states and parameters as tables."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return
    formatter = shell.display_formatter.formatters["text/html"]
    for cell in (rnn, lstm, gru):
        for record in vars(cell).values():
            if inspect.isclass(record) and record.__module__ == cell.__name__ and hasattr(record, "_fields"):
                formatter.for_type(record, lambda record: preformatted(repr(show(record))))


def fields_of(record):
    """name -> value of a named record or a dict: its arrays and numbers. Raises TypeError for anything else."""
    if hasattr(record, "_asdict"):
        record = record._asdict()
    if not isinstance(record, dict):
        raise TypeError(f"expected a named record or a dict of arrays; got {type(record).__name__}")
    return {name: value for name, value in record.items() if isinstance(value, (np.ndarray, np.number, int, float))}


def numbers_of(array, digits):
    """The lines that show an array's numbers, in columns."""
    if array.ndim > 2:
        return [
            f"[{k}] {line}" if j == 0 else f"    {line}"
            for k, part in enumerate(array)
            for j, line in enumerate(numbers_of(part, digits))
        ]
    if array.ndim == 0:
        return [str(array) if array.dtype.kind in "biu" else f"{array:.{digits}f}"]
    text = np.array2string(
        array, precision=digits, suppress_small=True, floatmode="fixed", max_line_width=WIDTH, threshold=200, sign=" "
    )
    return [line.replace("[[", "[").replace("]]", "]").strip() for line in text.split("\n")]


def attempt(test):
    """Run an exercise's test and print the result. It is a decorator, so that the test runs where it is defined.

    A stub's NotImplementedError and a wrong answer's AssertionError become words; any other error is raised.
    """
    try:
        test()
    except NotImplementedError:
        print("not written yet")
    except AssertionError as error:
        print("not right yet:", str(error).strip() or "an assertion failed")
    else:
        print("right")


register_records()
