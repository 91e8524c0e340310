"""What people write in one step backward of a cell in place of the right line.

The rows are (right piece, wrong piece, what is wrong), as mistakes.py says. What goes wrong with an activation's
derivative can go wrong in any gate, or in several: derivative_mistakes makes these.
"""

import re
from itertools import combinations

from numpylm.tutor.mistakes import Mistake, equation_of, source_of

STEPS = {
    "rnn_step_backward": [
        ("da_t @ W_hh.T", "da_t @ W_hh",
         "h_{t-1} is multiplied by W_hh on the way forward, so its gradient is multiplied by the transpose"),
        ("drop(da_t @ W_hh.T, recurrent_dropout)", "da_t",
         "dh_next: it is da_t itself, and W_hhᵀ is missing between the steps"),
        ("f_backward(dh_t, step.h_t)", "f_backward(dh_t, step.h_prev)",
         "f's derivative is taken at h_{t-1}, but it is h_t that f returned"),
        ("f_backward(dh_t, step.h_t)", "f_backward(dh_t, step.a_t)",
         "the derivative is written in terms of f's output h_t, and was given its input a_t"),
        ("f_backward(dh_t, step.h_t)", "f_backward(dh_t, step.h_prev)",
         "the derivative is taken at h_{t-1}, but it is h_t that f returned"),
        ("f_backward(dh_t, step.h_t)", "f_backward(dh_t, step.h_prev)",
         "the derivative is taken at h_{t-1}, but it is h_t that f returned"),
        ("f_backward(dh_t, step.h_t)", "dh_t * (step.h_t <= 0)",
         "ReLU's derivative is taken from the wrong side: it is 1 where h_t > 0"),
        ("f_backward(dh_t, step.h_t)", "dh_t * (1 - step.h_t)", "tanh's derivative is 1 - h_t², with the square"),
    ],
    "lstm_step_backward": [
        ("dh_t * step.tanh_c_t", "dh_t * step.c_t", "h_t is o_t ⊙ tanh(c_t), not o_t ⊙ c_t"),
        ("dh_t * step.tanh_c_t", "dh_t * tanh(step.tanh_c_t)",
         "tanh is applied twice: what is stored went through it already"),
        ("dh_t * step.tanh_c_t", "dh_t * step.h_t", "h_t stands where tanh(c_t) belongs"),
        ("dh_t * step.tanh_c_t", "dh_t * tanh(step.c_prev)", "c_{t-1} stands where c_t belongs"),
        ("dc_next + tanh_backward(dtanh_c_t, step.tanh_c_t)", "tanh_backward(dtanh_c_t, step.tanh_c_t)",
         "c_t has two paths to the loss, and the one through c_{t+1} (dc_next) is left out"),
        ("dc_next + tanh_backward(dtanh_c_t, step.tanh_c_t)", "dc_next",
         "c_t has two paths to the loss, and the one through h_t is left out"),
        ("dc_next + tanh_backward(dtanh_c_t, step.tanh_c_t)", "tanh_backward(dc_next + dtanh_c_t, step.tanh_c_t)",
         "dc_next is multiplied by the derivative of tanh too: it belongs to the path through h_t alone"),
        ("tanh_backward(dtanh_c_t, step.tanh_c_t)", "tanh_backward(dtanh_c_t, tanh(step.c_prev))",
         "c_{t-1} stands where c_t belongs in the derivative of tanh"),
        ("tanh_backward(dtanh_c_t, step.tanh_c_t)", "tanh_backward(dtanh_c_t, step.c_t)",
         "1 - y² needs tanh's output y = tanh(c_t), and was given its input c_t"),
        ("tanh_backward(dtanh_c_t, step.tanh_c_t)", "tanh_backward(dtanh_c_t, step.h_t)",
         "1 - y² needs y = tanh(c_t), and was given h_t, which is o_t ⊙ tanh(c_t)"),
        ("dc_t * step.c_prev", "dc_t * step.c_t", "c_t stands where c_{t-1} belongs: off by one in time"),
        ("dc_t * step.f_t", "dc_t", "the forget path is missing: f_t is left out"),
        ("dc_t * step.f_t", "dc_next * step.f_t",
         "only dc_next goes on to c_{t-1}: what reaches c_t through h_t must be carried back with it"),
        ("dh_prev = drop(da_t @ W_h.T, recurrent_dropout)", "dh_prev = drop(da_t @ W_h.T, recurrent_dropout)\n"
         "    dc_prev = (dc_next + tanh_backward(dh_prev * step.o_t, step.tanh_c_t)) * step.f_t",
         "dc_prev: dh_t was overwritten by dh_prev before dc_prev was computed from it"),
        ("df_t = dc_t * step.c_prev", "df_t = dc_t * step.c_tilde_t",
         "di_t = dc_t * step.c_tilde_t", "di_t = dc_t * step.c_prev",
         "df_t and di_t: c_{t-1} and c̃_t are exchanged: df_t needs c_{t-1}, and di_t needs c̃_t"),
        ("(da_i, da_f, da_o, da_c)", "(da_i, da_f, da_c, da_o)",
         "the gates stand in PyTorch's order i, f, c̃, o; ours is i, f, o, c̃"),
        ("da_t @ W_h.T", "da_t[:, : dh_t.shape[1]] @ W_h[:, : dh_t.shape[1]].T",
         "h_{t-1} feeds all four gates, and the sum holds the first gate only"),
    ],
    "gru_step_backward": [
        ("(step.h_prev - step.n_t)", "(step.n_t - step.h_prev)",
         "z_t weighs h_{t-1} and 1 - z_t weighs n_t, so the difference is h_{t-1} - n_t"),
        ("(step.h_prev - step.n_t)", "step.h_prev", "z_t also stands in (1 - z_t) ⊙ n_t: -n_t is left out"),
        ("dh_t * (1 - step.z_t)", "dh_t * step.z_t", "n_t is weighed by 1 - z_t"),
        ("da_n * step.hWb_n", "da_n * step.h_prev", "the reset gate multiplies h_{t-1} W_hn + b_hn, not h_{t-1}"),
        ("da_n * step.r_t", "da_n", "the reset gate r_t is left out"),
        ("da_t = np.concatenate((da_r, da_z, da_n)", "da_t = np.concatenate((da_z, da_r, da_n)",
         "the gates r and z stand in each other's place"),
        ("dh_carried + ", "", "h_{t-1} also goes straight into h_t, weighed by z_t: that path is left out"),
        ("dhW_t @ W_h.T", "da_t @ W_h.T", "h_{t-1} W_hn + b_hn meets r_t: its gradient is da_n ⊙ r_t, not da_n"),
    ],
}  # fmt: skip

DERIVATIVES = {  # what stands in place of a gradient dq times the derivative D(y) of y = f(a): what is wrong
    "{dq}": "the activation's derivative is missing",
    "{dq} * {f}({y})": "{name} was applied to {gate}; its derivative {derivative} belongs there",
    "{dq} * {D_again}": "{name} was applied a second time, to {gate}, which went through it already: its derivative is "
                        "{derivative}",
    "{dq} * {D} * {D}": "the activation's derivative {derivative} is applied twice",
    "{dq} / {D}": "it is divided by the activation's derivative {derivative}, not multiplied by it",
    "{dq} * {D_other}": "the derivative is that of {its_name}; {gate} went through {name}: {derivative}",
    "{dq} * {y}": "{gate} itself stands where the activation's derivative {derivative} belongs",
    "{dq} - {y} * {y}": "a bracket is lost: it is multiplied by the whole derivative {derivative}, not by a part of it",
}  # fmt: skip
D = {"sigmoid": "({y} * (1 - {y}))", "tanh": "(1 - {y} * {y})", "relu": "({y} > 0)"}
CALL = r"(\w+) = (?:dc_next \+ )?((tanh|sigmoid|f)_backward\((\w+), (step\.\w+)\))"
ALONE = {  # the same of the activations' own derivatives
    "sigmoid_backward": [("da", "ds * s * (1 - s)", "sigmoid", "ds", "s", "s' = s (1 - s)")],
    "tanh_backward": [("da", "dy * (1 - y * y)", "tanh", "dy", "y", "tanh' = 1 - y²")],
}
NAMES = {"sigmoid": "σ", "tanh": "tanh", "relu": "ReLU"}
WORDS = {"sigmoid": "{0} (1 - {0})", "tanh": "1 - {0}²", "relu": "1 where {0} > 0"}
SEVERAL = {"name": "the activation", "gate": "the gates", "its_name": "another activation",
           "derivative": "s (1 - s) for σ and 1 - y² for tanh"}  # fmt: skip


def derivative_mistakes(function, nonlinearity="tanh"):
    """The mistakes in the derivatives of a function's activations: in one, in several or in all of them."""
    lines = source_of(function).split("\n")
    calls = [(*found.groups(), equation_of(line)) for line in lines if (found := re.search(CALL, line))]
    calls = ALONE.get(function, calls)
    for number in range(1, len(calls) + 1):
        for chosen in combinations(calls, number):
            for form, why in DERIVATIVES.items():
                yield derivative_mistake(function, chosen, form, why, nonlinearity)


def derivative_mistake(function, chosen, form, why, nonlinearity):
    """The Mistake that one form makes of the chosen calls."""
    changes, parts = [], {}
    for _, call, name, dq, y, _ in chosen:
        f = nonlinearity if name == "f" else name
        other = "tanh" if f == "sigmoid" else "sigmoid"
        gate = {"c_tilde_t": "c̃_t", "tanh_c_t": "tanh(c_t)"}.get(y.removeprefix("step."), y.removeprefix("step."))
        parts = {"dq": dq, "y": y, "f": f, "gate": gate, "name": NAMES[f], "its_name": NAMES[other]}
        parts |= {"D": D[f].format(y=y), "D_again": D[f].format(y=f"{f}({y})"), "D_other": D[other].format(y=y)}
        parts["derivative"] = WORDS[f].format(gate)
        changes.append((function, call, f"({form.format(**parts)})"))
    words = why.format(**(parts if len(chosen) == 1 else SEVERAL))
    quantities, equations = [call[0] for call in chosen], [call[-1] for call in chosen]
    return Mistake(tuple(changes), ", ".join(quantities), ", ".join(dict.fromkeys(equations)), words)
