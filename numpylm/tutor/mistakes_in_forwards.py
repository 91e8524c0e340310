"""What people write in a cell's step, or in its loop forward over time, in place of the right line.

The rows are (right piece, wrong piece, what is wrong), as mistakes.py says.
"""

from itertools import permutations

RESET_BEFORE = (
    "in yours r_t multiplies h_{t-1} before the product with W_hn (Cho et al., 2014); in ours it multiplies "
    "h_{t-1} W_hn + b_hn"
)
C_T, H_T, N_T = "f_t * c_prev + i_t * c_tilde_t", "o_t * tanh_c_t", "a_n = xW_n + r_t * hWb_n"
W_HN = "(r_t * h_prev) @ gates(W_h, 3)[2]"
MIXED = "(1 - z_t) * n_t + z_t * h_prev"
STEP_FORWARDS = {
    "rnn_step": [
        ("f(a_t)", "np.maximum(a_t, 0)", "this is ReLU, where tanh belongs"),
        ("f(a_t)", "np.tanh(a_t)", "this is tanh, where ReLU belongs"),
        ("f(a_t)", "1 / (1 + np.exp(-a_t))", "this is the sigmoid, where tanh belongs"),
        ("f(a_t)", "a_t", "f is left out: h_t is a_t as it is"),
        (" + drop(h_prev, recurrent_dropout) @ W_hh", "", "h_t: the recurrent term h_{t-1} W_hh is left out"),
        (" + drop(h_prev", " - drop(h_prev", "h_t: the sign of h_{t-1} W_hh is wrong"),
    ],
    "lstm_step": [
        (C_T, "f_t * c_prev + c_tilde_t", "the input gate i_t is left out"),
        (C_T, "c_prev + i_t * c_tilde_t", "the forget gate f_t is left out"),
        (C_T, "f_t * c_prev - i_t * c_tilde_t", "the sign of i_t ⊙ c̃_t is wrong"),
        (C_T, "i_t * c_prev + f_t * c_tilde_t",
         "i_t and f_t are exchanged: the forget gate multiplies c_{t-1}. Or is the order of the gates wrong where the "
         "packed columns are split? It is i, f, o, c̃"),
        (C_T, "f_t * c_prev + (1 - f_t) * c_tilde_t", "1 - f_t stands where i_t belongs"),
        (C_T, "(1 - f_t) * c_prev + i_t * c_tilde_t", "1 - f_t stands where f_t belongs: f_t = 1 keeps c_{t-1}"),
        (C_T, "f_t * h_prev + i_t * c_tilde_t", "the forget gate multiplies c_{t-1}, not h_{t-1}"),
        (C_T, "i_t * c_tilde_t", "f_t ⊙ c_{t-1} is left out"),
        (C_T, "f_t * c_prev + i_t + c_tilde_t", "it is i_t times c̃_t"),
        (H_T, "o_t * c_t", "the tanh of c_t is left out"),
        (H_T, "tanh_c_t", "the output gate o_t is left out"),
        (H_T, "tanh(o_t * c_t)", "the tanh is of c_t alone: o_t stands outside"),
        (H_T, "o_t * sigmoid(c_t)", "this is σ(c_t), where tanh(c_t) belongs"),
        (H_T, "o_t * tanh(c_prev)", "it is the new c_t, not c_{t-1}"),
        (H_T, "o_t + tanh_c_t", "it is o_t times tanh(c_t)"),
        ("tanh(a_c)", "sigmoid(a_c)", "it goes through tanh, not through σ"),
        *[(f"sigmoid(a_{gate})", f"tanh(a_{gate})", "a gate goes through σ, not through tanh") for gate in "ifo"],
        (" + drop(h_prev, recurrent_dropout) @ W_h", "", "the recurrent term h_{t-1} W_h is left out"),
    ],
    "gru_step": [
        (N_T, f"a_n = xW_n + {W_HN} + b_hn", f"n_t: {RESET_BEFORE}"),
        (N_T, f"a_n = xW_n + {W_HN} + r_t * b_hn", f"n_t: {RESET_BEFORE}"),
        (N_T, f"a_n = xW_n + {W_HN}",
         "n_t: r_t multiplies h_{t-1} before the product with W_hn, and b_hn is left out"),
        (N_T, "a_n = xW_n + r_t * hW_n + b_hn", "n_t: b_hn stands inside the product with r_t"),
        ("hW_n + b_hn", "hW_n", "n_t: b_hn is left out"),
        (N_T, "a_n = xW_n + hWb_n", "n_t: the reset gate r_t is left out"),
        (N_T, "a_n = xW_n + z_t * hWb_n", "n_t: z_t stands where r_t belongs"),
        ("tanh(a_n)", "sigmoid(a_n)", "it goes through tanh, not through σ"),
        (MIXED, "z_t * n_t + (1 - z_t) * h_prev",
         "z_t and 1 - z_t are exchanged: in yours z_t = 0 keeps h_{t-1}, in ours z_t = 1 does. Papers differ in this"),
        (MIXED, "(1 - r_t) * n_t + r_t * h_prev", "r_t stands where z_t belongs"),
        (MIXED, "n_t + z_t * h_prev", "the factor 1 - z_t is left out"),
        (MIXED, "(1 - z_t) * n_t + h_prev", "the factor z_t is left out"),
        (MIXED, "(1 - z_t) * n_t", "the term z_t ⊙ h_{t-1} is left out"),
        (MIXED, "z_t * h_prev", "the term (1 - z_t) ⊙ n_t is left out"),
    ],
}  # fmt: skip

GATES = {"rnn": ("a",), "lstm": ("i", "f", "o", "c̃"), "gru": ("r", "z", "n")}
KNOWN_ORDERS = {("i", "f", "c̃", "o"): " (PyTorch's and Keras's)", ("z", "r", "n"): " (Keras's)"}


def sequence_rows(cell):
    """What goes wrong with a cell's parameters, input and start state; every row is of cell_forward."""
    W_x, W_h, b = ("W_xh", "W_hh", "b_h") if cell == "rnn" else ("W_x", "W_h", "b")
    x, number = f"projection_forward(x, parameters.{W_x}, ", len(GATES[cell])
    yield f"parameters.{b}, lookup", f"0 * parameters.{b}, lookup", f"{b}: the bias {b} is left out"
    yield f"parameters.{b}, lookup", f"2 * parameters.{b}, lookup", f"{b}: the bias {b} is added twice"
    yield x, x.replace("(x,", "(0 * x,"), f"{W_x}: the input's term x_t {W_x} is left out"
    whose = f"{W_h} is" if number == 1 else f"each gate's share of {W_h} is"
    yield (
        f"parameters.{W_h}, ",
        f"np.hstack([W.T for W in gates(parameters.{W_h}, {number})]), ",
        f"{W_h}: {whose} transposed: rows are examples, so that it is h_{{t-1}} {W_h}",
    )
    for name in "hc"[: 1 + (cell == "lstm")]:
        given = "h_t, c_t = state_0" if cell == "lstm" else "h_t = state_0.h"
        zero = f"{given}\n    {name}_t = 0 * {name}_t"
        yield given, zero, f"{name}_0: the start state {name}_0 is not used: the first step starts from zero"


def order_rows(cell):
    """The gates' columns read in another order: every row is of cell_step."""
    gates = GATES[cell]
    for order in permutations(range(len(gates))):
        names = tuple(gates[k] for k in order)
        if names == gates or len(gates) == 1:
            continue
        words = (
            f"a_t: the gates' columns are read in the order {', '.join(names)}{KNOWN_ORDERS.get(names, '')}; in W_x, "
            f"W_h and b they stand in the order {', '.join(gates)}"
        )
        pairs = []
        for start, packed in (("a", "a_t"),) if cell == "lstm" else (("xW", "xW_t"), ("hW", "hW_t")):
            ours, theirs = (", ".join(f"{start}_{name[0]}" for name in row) + " = gates" for row in (gates, names))
            pairs += [f"{ours}({packed}", f"{theirs}({packed}"]
        yield *pairs, words
