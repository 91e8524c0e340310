"""The records of the backward steps: every field dq of an LSTMStepGradients, …, is the derivative by its quantity q.

A displacement, which is zero, is added to each q between the lines of the step (proof/moved_step.py): the derivative by
it is dq.
"""

import numpy as np

from numpylm.masking import freeze
from numpylm.projection import projection_forward
from numpylm.proof.cases.case import Case, N, T
from numpylm.proof.cases.cells import CELLS, MASK, random_problem
from numpylm.proof.moved_step import moved_step

D, H = 5, 2  # small, for a record has many fields


def cases(rng):
    """The records of each cell, with a mask and recurrent dropout."""
    for name, cell in CELLS.items():
        yield record_case(f"{name} records", cell, rng)


def record_case(name, cell, rng):
    """The T records of one cell's backward pass: the derivatives by displacements (T, N, ·)."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell, rng, (T, N, D, H))
    recurrent_dropout = rng.choice([0, 2.0], (N, H))
    out = cell.forward(parameters, x, state_0, MASK, recurrent_dropout)
    records = cell.backward(parameters, dh, dstate_T, out.trace, keep_steps=True).steps
    claim = {name[1:]: np.stack([getattr(record, name) for record in records]) for name in records[0]._fields}
    claim["xW_t"] = claim.pop("a_t")

    def forward(**displacements):
        xW = projection_forward(x, parameters[0], parameters[2])
        state, h = state_0, []
        for t in range(T):

            def move(name, q, t=t):
                return q + displacements[name][t] if name in displacements else q

            new = moved_step(cell, move, parameters, xW[t], state, recurrent_dropout)
            state = cell.State(*[freeze(MASK, t, q_t, q_prev) for q_t, q_prev in zip(new, state, strict=True)])
            h.append(state.h)
        return {"h": np.stack(h), "state": state}

    displacements = {name: np.zeros_like(dq) for name, dq in claim.items()}
    return Case(name, forward, displacements, claim, {"h": dh, "state": dstate_T})
