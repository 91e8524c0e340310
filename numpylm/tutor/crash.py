"""What a student is told when their code crashes: a sentence, and the lines of their own file that led there."""

import re
import sys
import traceback
from pathlib import Path

from numpylm.tutor.memory import lift_limit

MODULE = "student"  # the name under which the student's file is imported


def memory_note(error):
    """Marks the finding on code that ran out of memory, and makes room to tell of it."""
    if not isinstance(error, MemoryError):
        return {}
    lift_limit()
    return {"out_of_memory": True}


def crash_sentence(error, when="when it is called"):
    """What happened, in a sentence."""
    if isinstance(error, SystemExit):
        return f"it ends the program {when} (exit, quit or sys.exit): a function should return, a file should define"
    if isinstance(error, RecursionError):
        return f"it calls itself without end {when} (RecursionError)"
    if isinstance(error, MemoryError):
        return (
            f"it runs out of memory {when} (MemoryError{': ' if str(error) else ''}{error}). What it is given is tiny: "
            "does something grow in a loop that never ends, or is an array far larger than it should be, such as "
            "np.zeros of the wrong sizes? (--memory gives more)"
        )
    if isinstance(error, EOFError):
        return f"it asks for input {when} (EOFError): there is nobody to answer"
    text = str(error).strip().split("\n")[0]
    if isinstance(error, NameError) and error.name == "np":
        text += ". NumPy is not imported: write `import numpy as np` at the top of your file"
    sizes = re.search(r"matmul.*\(size (\d+) is different from (\d+)\)", text)
    if sizes:
        text = (
            f"two matrices that do not fit are multiplied: the second has {sizes[1]} rows, the first {sizes[2]} "
            "columns. Is one of them to be transposed, or the order another?"
        )
    return f"it crashes {when}: {type(error).__name__}{': ' + text if text else ''}"


def short(error, path=None):
    """The traceback's lines in the student's own file, the last three at most."""
    frames = traceback.extract_tb(error.__traceback__)
    home = path or getattr(sys.modules.get(MODULE), "__file__", None)
    own = [frame for frame in frames if home and Path(frame.filename).resolve() == Path(home).resolve()]
    lines = [f"line {frame.lineno}, in {frame.name}:  {frame.line}" for frame in own[-50:]]
    return [line.replace("in <module>:", "of the file:") for line in dict.fromkeys(lines)][-3:]
