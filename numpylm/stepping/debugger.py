"""pdb that stops inside a cell's own step functions, at one time step."""

import bdb
import pdb
from contextlib import suppress

from numpylm.proof.moved_step import cell_function

HELP = """\
pdb stops in {functions}, at t = {t}.
    n  runs the line that is shown     p h_prev  prints what a name holds
    c  goes on to the next stop        l  lists the source     q  quits"""


class Debugger(pdb.Pdb):
    """pdb that stops at breakpoints alone, and not at the program's first line."""

    started = False

    def user_line(self, frame):
        """Called by bdb at each line where it might stop."""
        if self.started:
            return super().user_line(frame)
        self.started = True
        self.set_continue()
        return None


def debug(model, inputs, targets, layer, t, directions):
    """Run model.loss_and_gradients in pdb, which stops in the step functions of this layer and step."""
    L, T = model.sizes.num_layers, len(inputs)
    calls_before = {"forward": layer * T + t, "backward": (L - 1 - layer) * T + T - 1 - t}
    functions = {
        "forward": cell_function(model.cell, "step"),
        "backward": cell_function(model.cell, "step_backward"),
    }
    debugger = Debugger(nosigint=True)
    for direction in directions:
        stop_in(debugger, functions[direction], calls_before[direction])
    names = [functions[direction].__name__ for direction in directions]
    print(HELP.format(functions=" and then in ".join(names), t=t))
    with suppress(bdb.BdbQuit):
        debugger.runcall(model.loss_and_gradients, inputs, targets)
    return 0


def stop_in(debugger, function, calls_before):
    """Set a breakpoint at a function's first line that stops once, after calls_before calls."""
    code = function.__code__
    debugger.set_break(code.co_filename, code.co_firstlineno, temporary=True, funcname=function.__name__)
    bdb.Breakpoint.bpbynumber[-1].ignore = calls_before
