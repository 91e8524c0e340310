"""Exercise 12: one step of the GRU, and its backward     difficulty ***

    r_t = σ(x_t W_xr + h_{t-1} W_hr + b_r)                       (10)
    z_t = σ(x_t W_xz + h_{t-1} W_hz + b_z)                       (11)
    n_t = tanh(x_t W_xn + b_n + r_t ⊙ (h_{t-1} W_hn + b_hn))     (12)
    h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}                        (13)

x_t (N, D)   all other quantities (N, H)   W_x (D, 3H)   W_h (H, 3H)   b (3H,): the gates' columns in the
order r, z, n
b_hn (H,) stands by itself, inside the reset gate's product.

gru_step returns (h_t, cache). gru_step_backward returns (dx_t, dh_prev, dW_x, dW_h, db, db_hn), or a dict
with these names; a dict may hold dz_t dn_t dr_t da_r da_z da_n da_t too, and each is checked.

Check it:  python -m numpylm check exercises/12_gru.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["gru_step", "gru_step_backward"]


def gru_step(x_t, h_prev, W_x, W_h, b, b_hn):
    """Returns (h_t, cache)."""
    raise NotImplementedError


def gru_step_backward(dh_t, cache):
    """Returns (dx_t, dh_prev, dW_x, dW_h, db, db_hn)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. Keep hW_n = h_{t-1} W_hn + b_hn in the cache: (12) multiplies it by r_t.
2. h_{t-1} occurs four times: in (10), (11), (12) and (13). dh_prev is the sum of what comes back from each.
3. Input and state reach n_t on different paths: the gradient of x_t W_xn is da_n, but the gradient of
   h_{t-1} W_hn is da_n ⊙ r_t.
4. So there are two packed gradients: (da_r, da_z, da_n) for W_x, b and x_t, and (da_r, da_z, da_n ⊙ r_t) for
   W_h and h_prev.
"""
