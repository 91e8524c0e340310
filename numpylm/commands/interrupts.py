"""Ctrl-C and the other signals that end a process: no command ends without a word.

Outside the training loop they raise KeyboardInterrupt, which the command line reports. In the loop (Interrupts) they
let the step end, so that the run is saved.
"""

import os
import signal
from contextlib import contextmanager, suppress

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
STOPPING = b"\nstopping after this step ... (Ctrl-C again to stop at once, unsaved)\n"


class Stopped(KeyboardInterrupt):
    """A signal other than Ctrl-C's that ends the process; .number is the signal's."""

    def __init__(self, number):
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


def raise_stopped(number, frame):
    """The handler outside the training loop."""
    raise Stopped(number)


@contextmanager
def handled_signals():
    """While this context lasts, SIGTERM and SIGHUP raise Stopped, as Ctrl-C raises KeyboardInterrupt; a signal that
    nohup ignores stays ignored."""
    defaults = [number for number in SIGNALS[1:] if signal.getsignal(number) == signal.SIG_DFL]
    with suppress(ValueError):  # outside the main thread
        for number in defaults:
            signal.signal(number, raise_stopped)
    try:
        yield
    finally:
        with suppress(ValueError):
            for number in defaults:
                signal.signal(number, signal.SIG_DFL)


class Interrupts:
    """While this context lasts, Ctrl-C and the like only set .requested, so that a step can end in peace; a second one
    stops at once. Signals go to the main thread alone: elsewhere this does nothing."""

    def __enter__(self):
        self.requested = False
        self.previous = {}
        for number in SIGNALS:
            if signal.getsignal(number) == signal.SIG_IGN:
                continue
            try:
                self.previous[number] = signal.signal(number, self._handle)
            except ValueError:
                break
        return self

    def _handle(self, number, frame):
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        with suppress(OSError):
            os.write(2, STOPPING)  # print would fail where the signal comes in the middle of another print

    def __exit__(self, *exception):
        for number, handler in self.previous.items():
            signal.signal(number, handler)
