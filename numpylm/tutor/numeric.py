"""The numerical derivative of a student's own forward, which runs in the child process.

Σ_k ⟨weight_k, output_k⟩ is differentiated with respect to one input by central differences with two steps, h and 2h, of
which Richardson's extrapolation takes the error of order h² away. All the inputs that this needs go in one request.
"""

import numpy as np

from numpylm.tutor.stop import Stop

STEP = 1e-3  # h; the weights are of order one
CHUNK = 2000  # inputs in one request
OFFSETS = (-2, -1, 1, 2)


class Program:
    """Steps for the child (runner.py), their inputs by slot, paths to the outputs, and each output's weight; or
    a function of the outputs in place of weights."""

    def __init__(self, child, steps, inputs, outputs, weights):
        self.child, self.steps, self.inputs, self.outputs, self.weights = child, steps, inputs, outputs, weights

    def totals(self, slot, values):
        """Σ_k ⟨weight_k, output_k⟩ for each of a stack of values of one input. Raises Stop where the code fails."""
        totals = []
        for start in range(0, len(values), CHUNK):
            vary = {"slot": slot, "values": values[start : start + CHUNK]}
            reply = self.child.ask({"steps": self.steps, "inputs": self.inputs, "outputs": self.outputs, "vary": vary})
            if not isinstance(reply.get("varied"), list) or len(reply["varied"]) != len(self.outputs):
                raise Stop("crash", "the forward fails for inputs near those that it was given")
            if callable(self.weights):
                totals.append(self.weights([np.asarray(q) for q in reply["varied"]]))
                continue
            pairs = zip(self.weights, reply["varied"], strict=True)
            totals.append(sum((weight * np.asarray(q)).reshape(len(q), -1).sum(axis=1) for weight, q in pairs))
        return np.concatenate(totals)


def derivative(program, slot, step=STEP):
    """(derivative with respect to one input, how uncertain each entry is)."""
    x = program.inputs[slot]
    shifts = step * np.array(OFFSETS)[:, None, None] * np.eye(x.size)  # (4, size, size)
    stack = (x.ravel() + shifts).reshape(-1, *x.shape)
    far_below, below, above, far_above = program.totals(slot, stack).reshape(4, x.size)
    narrow, wide = (above - below) / (2 * step), (far_above - far_below) / (4 * step)
    return ((4 * narrow - wide) / 3).reshape(x.shape), np.abs(narrow - wide).reshape(x.shape)


def roughness(program, slot, rng):
    """How far Σ jumps between neighbouring inputs: about 1e-16 in float64, 1e-7 where a buffer is float32."""
    x = program.inputs[slot]
    direction = rng.standard_normal((8, *x.shape))
    below, middle, above = (program.totals(slot, x + k * 1e-7 * direction) for k in (-1, 0, 1))
    return float(np.abs(above - 2 * middle + below).max())
