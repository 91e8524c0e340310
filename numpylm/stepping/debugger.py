"""Stops in pdb inside a cell's own step functions, at one time step."""

import bdb
import pdb
from contextlib import suppress

from numpylm.stepping.taps import functions_of

HELP = """\
pdb stops in {functions}, at t = {t}.
    n  runs the line that is shown     p h_prev  prints what a name holds
    c  goes on to the next stop        l  lists the source     q  quits"""


class Debugger(pdb.Pdb):
    """pdb, but that it stops at breakpoints alone, and not at the first line of all."""

    started = False

    def user_line(self, frame):
        """Called by bdb at each line where it might stop."""
        if self.started:
            return super().user_line(frame)
        self.started = True
        self.set_continue()
        return None


def debug(model, inputs, targets, layer, t, directions):
    """Runs model.loss_and_gradients in pdb, which stops where a step function is called for this layer and step."""
    L, T = model.sizes.num_layers, len(inputs)
    calls_before = {"forward": layer * T + t, "backward": (L - 1 - layer) * T + T - 1 - t}
    functions = functions_of(model.cell)
    names = {"forward": f"{model.cell.name}_step", "backward": f"{model.cell.name}_step_backward"}
    debugger = Debugger(nosigint=True)
    for direction in directions:
        stop_in(debugger, functions[names[direction]], calls_before[direction])
    print(HELP.format(functions=" and then in ".join(names[direction] for direction in directions), t=t))
    with suppress(bdb.BdbQuit):
        debugger.runcall(model.loss_and_gradients, inputs, targets)
    return 0


def stop_in(debugger, function, calls_before):
    """A breakpoint at a function's first line, met once, after so many calls have gone by."""
    code = function.__code__
    debugger.set_break(code.co_filename, code.co_firstlineno, temporary=True, funcname=function.__name__)
    bdb.Breakpoint.bpbynumber[-1].ignore = calls_before
