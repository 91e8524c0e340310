"""Ctrl-C and the other signals that end a process: no command ends without a word.

Outside the training loop they raise KeyboardInterrupt, which the command line reports. In the loop (Interrupts) they
let the step end, so that the run is saved. A signal that is ignored, as by nohup, stays ignored.
"""

import os
import signal
from contextlib import ExitStack, contextmanager, suppress

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
STOPPING = b"\nstopping after this step ... (Ctrl-C again to stop at once, unsaved)\n"


class Stopped(KeyboardInterrupt):
    """A signal other than Ctrl-C's that ends the process; .number is the signal's."""

    def __init__(self, number):
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


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
    """While this context lasts, SIGTERM and SIGHUP raise Stopped, as Ctrl-C raises KeyboardInterrupt."""

    def stop(number, frame):
        raise Stopped(number)

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
