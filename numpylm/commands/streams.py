"""Standard output and standard error: what happens where characters cannot be shown, or the reader has gone.

A file or a pipe gets UTF-8. A terminal that cannot show a character gets a question mark, and a note at the end says
how many. Where a stream is closed from the start (`>&-`, or Windows' pythonw), what is printed is lost.
"""

import codecs
import errno
import io
import os
import sys
from contextlib import contextmanager

LOST = []  # characters that a stream could not encode
NOTE = "note: the reader of the output has gone; training goes on, and its folder will hold everything\n"


def replace_lost(error):
    """Python's handler of what cannot be encoded: a question mark for each character, and we remember it."""
    LOST.extend(error.object[error.start : error.end])
    return "?" * (error.end - error.start), error.end


class Nowhere(io.StringIO):
    """In place of a stream that is closed from the start."""


def prepare_streams():
    """Prepares both streams for every character."""
    codecs.register_error("numpylm", replace_lost)
    LOST.clear()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Nowhere())
        elif hasattr(stream, "reconfigure"):
            chosen = stream.isatty() or os.environ.get("PYTHONIOENCODING")
            stream.reconfigure(encoding=None if chosen else "utf-8", errors="numpylm")


def note_lost():
    """Says what could not be shown, or not be printed at all."""
    if isinstance(sys.stdout, Nowhere) and sys.stdout.tell():
        print("note: standard output is closed; what was printed is lost", file=sys.stderr)
    if LOST:
        print(
            f"note: {len(LOST)} characters cannot be shown here (the first is {LOST[0]!a}) and became ?; "
            "print into a file, or set PYTHONIOENCODING=utf-8",
            file=sys.stderr,
        )


class LastingStream:
    """A stream that stays silent when its reader has gone, so that a training goes on."""

    def __init__(self, stream, number):
        self.stream, self.number = stream, number

    def write(self, text):
        """Writes text, or nothing where the reader has gone."""
        return self._lasting(self.stream.write, text)

    def flush(self):
        """Flushes what was written."""
        self._lasting(self.stream.flush)

    def _lasting(self, action, *arguments):
        try:
            return action(*arguments)
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):  # a pipe without reader, a terminal that was closed
                raise
        forget_reader(self.number)
        if self.number == 1:
            sys.stderr.write(NOTE)

    def __getattr__(self, name):
        return getattr(self.stream, name)


@contextmanager
def outlasting_readers():
    """While this context lasts, standard output and standard error are LastingStreams."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = LastingStream(sys.stdout, 1), LastingStream(sys.stderr, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stdout, sys.stderr = before


def settle_output():
    """Drops what standard output could not write, as on a full disk. Python would try again at its end, and fail."""
    try:
        sys.stdout.flush()
    except OSError:
        forget_reader(1)


def forget_reader(number):
    """Points a file descriptor at nowhere, so that Python's last flush does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
