"""How far gradients reach: the derivative of what happens at the last step with respect to the state t steps before."""

import numpy as np


def gradients_by_distance(cell, parameters, x, dh_T):
    """Element k is the gradient of Σ dh_T · h_T with respect to the state k steps before the last step, a state record.

    x (T, N, D); dh_T (N, H), what reaches the last step's h. The sequence starts from zeros; k runs from 1 to T - 1.
    """
    zeros = cell.State(*[np.zeros_like(dh_T) for _ in cell.State._fields])
    trace = cell.forward(parameters, x, zeros).trace
    dh = np.zeros((len(x), *dh_T.shape))
    dh[-1] = dh_T
    steps = cell.backward(parameters, dh, zeros, trace, keep_steps=True).steps
    return [cell.State(*[getattr(step, f"d{name}_prev") for name in zeros._fields]) for step in steps[:0:-1]]


def jacobian_norms(cell, parameters, x, field="h"):
    """The spectral norms ‖∂h_T/∂h_{T-k}‖, or of another field of the state, k = 1 … T - 1, for one sequence x (T, D).

    H copies of the sequence, each asked for one entry of h_T, give the H rows of the matrix.
    """
    H = parameters[1].shape[0]
    copies = np.repeat(x[:, None], H, axis=1)  # (T, H, D)
    gradients = gradients_by_distance(cell, parameters, copies, np.eye(H))
    return np.array([np.linalg.norm(getattr(gradient, field), 2) for gradient in gradients])
