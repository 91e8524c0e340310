"""How far what someone wrote is from the right line, counted in symbols."""

import pytest

from numpylm.tutor.changes import changes_of
from numpylm.tutor.symbols import Formula
from numpylm.tutor.wiretap import Line

NAMES = {"dc_t", "dc_next", "df_t", "dh_t", "c_prev", "f_t", "i_t", "dh[t]", "dh_next", "da_t", "W_h"}
FORGET = Line("lstm_step_backward", 3, "df_t", "(7)", "df_t = dc_t * step.c_prev  # (7), which i_t is not in")
GATE = Line("lstm_step_backward", 9, "da_f", "(4)", "da_f = sigmoid_backward(df_t, step.f_t)  # (4)")
STATE = Line("lstm_step_backward", 12, "dh_prev", "(3) to (6)", "dh_prev = da_t @ W_h.T  # (3) to (6)")
SUM = Line("rnn_backward", 1, "dh_t", "", "dh_t = dh[t] + dh_next")


@pytest.mark.parametrize(
    ("line", "right", "text", "changes"),
    [
        (FORGET, "dc_t ⊙ c_prev", "dc_t", 1),  # a factor is left out
        (FORGET, "dc_t ⊙ c_prev", "dc_next ⊙ c_prev", 1),
        (FORGET, "dc_t ⊙ c_prev", "dc_next", 2),
        (FORGET, "dc_t ⊙ c_prev", "dh_t ⊙ i_t", 2),
        (FORGET, "dc_t ⊙ c_prev", "dc_t ⊙ (1 - c_prev²)", 1),
        (FORGET, "dc_t ⊙ c_prev", "dc_next ⊙ (1 - c_prev²)", 2),
        (FORGET, "dc_t ⊙ c_prev", "dc_t ⊙ c_prev i_t", 1),
        (FORGET, "dc_t ⊙ c_prev", "c_prev: no gradient is in it", 1),
        (FORGET, None, "dc_t", 1),  # the right names are read from the source, and not from its comment
        (GATE, "df_t ⊙ f_t (1 - f_t)", "dc_next ⊙ f_t (1 - f_t)", 1),
        (GATE, "df_t ⊙ f_t (1 - f_t)", "df_t ⊙ (1 - f_t²)", 1),
        (GATE, "df_t ⊙ f_t (1 - f_t)", "df_t ⊙ f_t (1 - f_t)", 1),  # it is wrong, in a way that was not read
        (STATE, "da_t W_hᵀ", "da_t W_h", 1),
        (STATE, "da_t W_hᵀ", "dh_t W_h", 2),
        (SUM, "dh[t] + dh_next", "dh[t] - dh_next", 1),
        (SUM, "dh[t] + dh_next", "dh_t", 2),
    ],
)
def test_changes_are_counted(line, right, text, changes):
    right = right and Formula(right, 1, None)
    assert changes_of(Formula(text, 1, None), right, line, NAMES) == changes


def test_a_count_that_is_known_is_kept():
    assert changes_of(Formula("-df_t: the sign is wrong", 1, None, 1), None, FORGET, NAMES) == 1
