"""How the check of one function ends before its end, and what a student is told when their code crashes."""

import re

OWN_ERROR = re.compile(
    r"NameError|UnboundLocalError|module '\w+' has no|missing \d+ required|slice indices must be|builtin_function_or"
)


class Stop(Exception):
    """Ends the check of one function with a status and sentences; table and diagnosis may follow."""

    def __init__(self, status, *sentences, **more):
        super().__init__(*sentences)
        self.finding = {"status": status, "sentences": list(sentences)} | more


def is_own_error(error):
    """Whether an error, by its words, comes from the code itself, and not from what it was given."""
    return OWN_ERROR.search(str(error)) is not None


SAID = {  # of an exception's type
    "RecursionError": "it calls itself without end {when} (RecursionError)",
    "TooMuch": "it returns {text}: although the check gives it tiny arrays. Does it make an array of the wrong size?",
    "MemoryError": "it runs out of memory {when} (MemoryError{colon}{text}). What it is given is tiny: does something "
    "grow in a loop that never ends, or is an array far larger than it should be, such as np.zeros of the wrong sizes? "
    "(--memory gives more)",
    "EOFError": "it asks for input {when} (EOFError): there is nobody to answer",
    "SystemExit": "it ends the program {when} (exit, quit or sys.exit): a function should return, a file should define",
}
NO_NUMPY = ". NumPy is not imported: write `import numpy as np` at the top of your file"
NO_FIT = (
    "it multiplies two matrices that do not fit: the second has {} rows, the first {} columns. Must you transpose one "
    "of them, or change their order?"
)


def crash_sentence(error, when="when it is called"):
    """What happened, in a sentence, from the child's description of an exception."""
    kind, text = str(error.get("type")), str(error.get("text"))
    text += NO_NUMPY if kind == "NameError" and error.get("name") == "np" else ""
    sizes = re.search(r"matmul.*\(size (\d+) is different from (\d+)\)", text)
    text = NO_FIT.format(*sizes.groups()) if sizes else text
    return SAID.get(kind, "it crashes {when}: {kind}{colon}{text}").format(
        when=when, kind=kind, colon=": " if text else "", text=text
    )


def missing_name(error, failures):
    """A list with what made a name missing: the statement of the file that could not be run."""
    for failed in failures if error.get("type") == "NameError" else []:
        if error.get("name") in failed["names"] or "*" in failed["names"]:
            return [f"line {failed['line']} of your file could not be run ({failed['error']})"]
    return []
