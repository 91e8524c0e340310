"""What people write for the gradients of a step's weights, bias and input, where da_t is right: (name, formula, words).

Our own steps leave these to the sequence's backward, so that the library of mistakes does not hold them.
"""


def weight_slips(cell, symbols, answers):
    """(name, value, words) for each slip in what follows from da_t."""
    x, h_prev, dh, da = symbols["x_t"], symbols["h_prev"], symbols["dh_t"], answers["da_t"]
    W_x, W_h, b = ("W_xh", "W_hh", "b_h") if cell == "rnn" else ("W_x", "W_h", "b")
    h_t, db = symbols["h_t"], f"d{b}"
    yield f"d{W_h}", h_t.T @ da, "off by one in time: h_t stands where h_{t-1} belongs"
    yield db, da[-1], "it is the last row alone: b meets every row, and its gradient is the sum over all"
    yield db, da[0], "it is the first row alone: b meets every row, and its gradient is the sum over all"
    if cell == "rnn":
        skipped = "dh_t stands where da_t belongs: the derivative of f is left out"
        yield f"d{W_x}", x.T @ dh, skipped
        yield f"d{W_h}", h_prev.T @ dh, skipped
        yield db, dh.sum(axis=0), skipped
        yield "dx_t", dh @ symbols[W_x].T, skipped
    if cell == "gru":
        yield from reset_slips(symbols, answers)


def reset_slips(symbols, answers):
    """A GRU has two packed gradients: da_t of x_t W_x + b, and dhW_t of h_{t-1} W_h, in which r_t meets da_n."""
    x, h_prev, da, dhW = symbols["x_t"], symbols["h_prev"], answers["da_t"], answers["dhW_t"]
    inside = "h_{t-1} W_hn + b_hn stands inside the product with r_t: its gradient is da_n ⊙ r_t, not da_n"
    outside = "x_t W_xn + b_n stands outside the product with r_t: its gradient is da_n, not da_n ⊙ r_t"
    yield "dh_prev", da @ symbols["W_h"].T + symbols["dh_t"] * symbols["z_t"], inside
    yield "db_hn", answers["da_n"].sum(axis=0), inside
    yield "dW_h", h_prev.T @ da, inside
    yield "dW_x", x.T @ dhW, outside
    yield "db", dhW.sum(axis=0), outside
    yield "dx_t", dhW @ symbols["W_x"].T, outside
