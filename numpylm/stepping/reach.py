"""How far back the last prediction's gradient reaches in a layer, and by which path.

The error carousel: ∂c_t/∂c_{t-1} along the cell state alone is f_t, so that what reaches step t this way is dc_{T-1}
times the forget gates of all later steps (in a GRU, the update gates along h). Whatever else reaches t comes through
h_t and the recurrent weights, once or more often.
"""

import numpy as np

from numpylm.loss import IGNORED
from numpylm.stepping.walk import run_once

GATES = {"lstm": ("dc_t", "f_t"), "gru": ("dh_t", "z_t"), "rnn": ("dh_t", None)}  # the gradient, and what carries it


def reach(model, inputs, targets, layer):
    """{"total", "gates", "rest"}: T norms each, over the units, of the gradient of the last prediction's loss with
    respect to c_t (h_t, without a cell state). total = gates + rest holds for the vectors, not for their norms."""
    last = np.where(np.arange(len(targets))[:, None] == len(targets) - 1, targets, IGNORED)
    run = run_once(model, inputs, last)
    gradient, gate = GATES[model.cell.name]
    total = np.stack([getattr(step, gradient) for step in run.layers[layer].steps])  # (T, 1, H)
    gates = np.zeros_like(total)
    gates[-1] = total[-1] if gate else 0
    for t in reversed(range(len(total) - 1)):
        gates[t] = gates[t + 1] * getattr(run.forward.trace.layers[layer].steps[t + 1], gate) if gate else 0
    parts = {"total": total, "gates": gates, "rest": total - gates}
    return {name: np.linalg.norm(array[:, 0], axis=1).tolist() for name, array in parts.items()}
