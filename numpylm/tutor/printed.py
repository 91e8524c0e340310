"""What a student's code prints: kept, up to a limit, and shown where something is wrong."""

import contextlib
import io
import warnings

import numpy as np

LONGEST_PRINT = 600  # characters of what the student's code prints that are shown


class Printed(io.StringIO):
    """What the student's code prints, up to a limit."""

    def write(self, text):
        return super().write(text[: max(0, LONGEST_PRINT - self.tell())]) and len(text)


@contextlib.contextmanager
def quiet(printed):
    """Output goes to printed; warnings, such as of an overflow, are no failures by themselves."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield
