"""What a process shares with its surroundings: its standard streams, and the signals that end it.

A file or a pipe gets UTF-8. A terminal that cannot show a character gets a question mark, and a note at the end says
how many. Where a stream is closed from the start (`>&-`, or Windows' pythonw), what is printed is lost.

No signal ends a command without a word. Outside the training loop a signal raises KeyboardInterrupt, which the command
line reports. In the loop (Interrupts) it lets the step end, so that the run is saved. A signal that is ignored, as by
nohup, stays ignored.
"""

import codecs
import errno
import io
import os
import signal
import sys
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

LOST = []  # characters that a stream could not encode
GONE = "note: the reader of the output has gone; training goes on, and its folder will hold everything\n"
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
STOPPING = b"\nstopping after this step ... (Ctrl-C again to stop at once, unsaved)\n"


def replace_lost(error):
    """Python's handler of what cannot be encoded: a question mark for each character, and we remember it."""
    LOST.extend(error.object[error.start : error.end])
    return "?" * (error.end - error.start), error.end


@contextmanager
def prepared_streams():
    """While this context lasts, both streams take every character. At its end we say what was lost."""
    codecs.register_error("numpylm", replace_lost)
    LOST.clear()
    is_closed = sys.stdout is None
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.StringIO())
        elif hasattr(stream, "reconfigure"):
            chosen = stream.isatty() or os.environ.get("PYTHONIOENCODING")
            stream.reconfigure(encoding=None if chosen else "utf-8", errors="numpylm")
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except OSError:  # as on a full disk: Python would try again at its end, and fail
            forget_reader(1)
        if is_closed and sys.stdout.tell():
            print("note: standard output is closed; what was printed is lost", file=sys.stderr)
        if LOST:
            lost = f"note: {len(LOST)} characters cannot be shown here (the first is {LOST[0]!a}) and became ?; "
            print(f"{lost}print into a file, or set PYTHONIOENCODING=utf-8", file=sys.stderr)


class LastingStream:
    """A stream that stays silent when its reader has gone, so that a training goes on."""

    def __init__(self, stream, number):
        self.stream, self.number = stream, number

    def __getattr__(self, name):
        action = getattr(self.stream, name)
        return partial(self._lasting, action) if name in ("write", "flush") else action

    def _lasting(self, action, *arguments):
        try:
            return action(*arguments)
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):  # a pipe without reader, a terminal that was closed
                raise
        forget_reader(self.number)
        if self.number == 1:
            sys.stderr.write(GONE)


def forget_reader(number):
    """Points a file descriptor at nowhere, so that Python's last flush does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


# Signals


@contextmanager
def handling(numbers, handler):
    """While this context lasts, handler(number, frame) takes these signals, in the main thread alone."""
    previous = {}
    with suppress(ValueError):  # outside the main thread
        for number in numbers:
            if signal.getsignal(number) != signal.SIG_IGN:
                previous[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def handled_signals():
    """While this context lasts, SIGTERM and SIGHUP raise KeyboardInterrupt, as Ctrl-C does; .number is the signal's."""

    def stop(number, frame):
        stopped = KeyboardInterrupt(f"stopped by {signal.Signals(number).name}")
        stopped.number = number
        raise stopped

    return handling(SIGNALS[1:], stop)


class Interrupts(ExitStack):
    """While this context lasts, signals only set .requested, so that a step can end in peace; a second one stops."""

    requested = False

    def __enter__(self):
        self.enter_context(handling(SIGNALS, self._handle))
        return self

    def _handle(self, number, frame):
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        with suppress(OSError):
            os.write(2, STOPPING)  # print would fail where the signal comes in the middle of another print
