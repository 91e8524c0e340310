"""pdb that stops inside a cell's own step functions, at one time step."""

import bdb
import pdb
from contextlib import suppress

from numpylm.proof.moved_step import cell_function

HELP = """\
pdb stops in {functions}, at t = {t}.
    n  runs the line that is shown     p h_prev  prints what a name holds
    c  goes on to the next stop        l  lists the source     q  quits"""


def debug(model, inputs, targets, layer, t, directions):
    """Run model.loss_and_gradients in pdb, which stops in the step functions of this layer and step."""
    L, T = model.sizes.num_layers, len(inputs)
    stops = {"forward": ("step", layer * T + t), "backward": ("step_backward", (L - 1 - layer) * T + T - 1 - t)}
    debugger, names = pdb.Pdb(nosigint=True), []
    debugger.rcLines.append("continue")  # as at the end of a .pdbrc: it stops at breakpoints alone
    for name, calls_before in [stops[direction] for direction in directions]:
        function = cell_function(model.cell, name)
        code = function.__code__
        debugger.set_break(code.co_filename, code.co_firstlineno, temporary=True, funcname=function.__name__)
        bdb.Breakpoint.bpbynumber[-1].ignore = calls_before
        names.append(function.__name__)
    print(HELP.format(functions=" and then in ".join(names), t=t))
    with suppress(bdb.BdbQuit):
        debugger.runcall(model.loss_and_gradients, inputs, targets)
    return 0
