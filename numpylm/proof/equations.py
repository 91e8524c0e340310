"""One step of each cell once more, straight from the equations, so that each quantity on its way can be moved.

Every quantity q goes through move("q", q), which returns it, or returns it plus something. The derivative by what is
added is ∂loss/∂q, and needs no backward pass: this proves each field dq of an LSTMStepGradients, …, although q is no
argument of any function. xW_t is x_t W_x + b; da_t is its gradient. Each step returns (h_t,), or (h_t, c_t).
"""

from numpylm.activations import sigmoid, tanh
from numpylm.dropout import drop
from numpylm.recurrence import gates
from numpylm.rnn import NONLINEARITIES


def rnn_step(move, p, xW_t, state, recurrent_dropout=None, nonlinearity="tanh"):
    """Equation (1)."""
    f, _ = NONLINEARITIES[nonlinearity]
    h_prev = move("h_prev", state[0])
    a_t = move("a_t", move("xW_t", xW_t) + drop(h_prev, recurrent_dropout) @ p.W_hh)
    return (move("h_t", f(a_t)),)  # (1)


def lstm_step(move, p, xW_t, state, recurrent_dropout=None, **options):
    """Equations (3) to (8)."""
    h_prev = move("h_prev", state[0])
    c_prev = move("c_prev", state[1])
    a_t = move("a_t", move("xW_t", xW_t) + drop(h_prev, recurrent_dropout) @ p.W_h)
    a_i, a_f, a_o, a_c = [move(f"a_{gate}", a) for gate, a in zip("ifoc", gates(a_t, 4), strict=True)]
    i_t = move("i_t", sigmoid(a_i))  # (3)
    f_t = move("f_t", sigmoid(a_f))  # (4)
    o_t = move("o_t", sigmoid(a_o))  # (5)
    c_tilde_t = move("c_tilde_t", tanh(a_c))  # (6)
    c_t = move("c_t", f_t * c_prev + i_t * c_tilde_t)  # (7)
    tanh_c_t = move("tanh_c_t", tanh(c_t))
    return move("h_t", o_t * tanh_c_t), c_t  # (8)


def gru_step(move, p, xW_t, state, recurrent_dropout=None):
    """Equations (10) to (13)."""
    h_prev = move("h_prev", state[0])
    xW_r, xW_z, xW_n = gates(move("xW_t", xW_t), 3)
    hW_r, hW_z, hW_n = gates(move("hW_t", drop(h_prev, recurrent_dropout) @ p.W_h), 3)
    r_t = move("r_t", sigmoid(move("a_r", xW_r + hW_r)))  # (10)
    z_t = move("z_t", sigmoid(move("a_z", xW_z + hW_z)))  # (11)
    hWb_n = move("hWb_n", hW_n + p.b_hn)
    n_t = move("n_t", tanh(move("a_n", xW_n + r_t * hWb_n)))  # (12)
    return (move("h_t", (1 - z_t) * n_t + z_t * h_prev),)  # (13)


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}
