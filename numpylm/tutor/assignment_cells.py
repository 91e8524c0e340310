"""Random problems for the recurrent cells' steps and sequences, as assignment_problems.py explains.

Of every cell the same four: a step, its backward, a sequence, its backward. A function may be written for packed
weights (W_x, W_h, b), for the gates' own (W_xi, W_hi, b_i, …), or for the input's share, computed before (xW_t).
An RNN's f is tanh, or ReLU in the functions of that name; one that asks for its `nonlinearity` is given either.
"""

from functools import partial

import numpy as np

from numpylm import gru, lstm, rnn
from numpylm.tutor.assignment_problems import Problem

WHOLE = {"state_0", "trace", "cache", "step"}  # by which a whole start state may come in
ROWS = {"RNN": ("W_xh", "W_hh", "b_h"), "LSTM": ("W_x", "W_h", "b"), "GRU": ("W_x", "W_h", "b")}
GATES = {"RNN": "", "LSTM": "ifoc", "GRU": "rzn"}


class Network:
    """Random parameters, input and start state of one cell, with what all four problems share."""

    def __init__(self, module, kind, rng, sizes, asked, nonlinearity=None):
        T, N, D, H = sizes[:4]
        self.module, self.kind, self.name, self.rng, self.sizes, self.asked = (
            module,
            kind,
            kind.lower(),
            rng,
            sizes,
            asked,
        )
        shapes = getattr(module, f"{self.name}_shapes")(D, H)
        self.Parameters = with_keys(getattr(module, f"{kind}Parameters"))
        self.State = with_keys(getattr(module, f"{kind}State"))
        self.parameters = self.Parameters(*[sizes.scale * random_weights(rng, shape) for shape in shapes.values()])
        self.x = rng.standard_normal((T, N, D))
        given = {q: bool(asked & (WHOLE | {f"{q}_0", f"{q}_prev"})) for q in self.State._fields}
        self.state_0 = self.State(*[given[q] * sizes.scale * rng.standard_normal((N, H)) for q in given])
        W_x, self.W_h, b = [getattr(self.parameters, name) for name in ROWS[kind]]
        self.xW = self.x @ W_x + b
        self.recurrent = (self.W_h, self.parameters.b_hn) if kind == "GRU" else (self.W_h,)
        self.f = {}
        if kind == "RNN":
            either = "relu" if sizes.extreme and "nonlinearity" in asked else "tanh"
            self.f = {"nonlinearity": nonlinearity or either}

    def function(self, suffix):
        """The package's own function: lstm_step, lstm_step_backward, …"""
        return getattr(self.module, f"{self.name}_{suffix}")

    def forward(self):
        """The whole sequence's Output."""
        return self.function("forward")(self.parameters, self.x, self.state_0, **self.f)

    def weights(self):
        """Every parameter under its own name, packed and gate by gate, and an RNN's f."""
        return self.f | self.parameters._asdict() | by_gate(self.parameters, GATES[self.kind], "")

    def gradient(self, *names):
        """A random gradient (N, H) if the student's function asks for it under one of these names, else zero."""
        _, N, _, H = self.sizes[:4]
        return self.rng.standard_normal((N, H)) if self.asked & set(names) else np.zeros((N, H))


def step_problem(module, kind, nonlinearity=None):
    """A problem maker for one step."""

    def problem(rng, sizes, asked):
        network = Network(module, kind, rng, sizes, asked, nonlinearity)
        return Problem(step_symbols(network), inner(run_step(network)._asdict(), "h_prev", "c_prev", "h_in"))

    return problem


def run_step(network):
    """The record of one step, from the start state."""
    record = network.function("step")(network.xW[0], *network.state_0, *network.recurrent, **network.f)
    return with_keys(type(record))(*record)


def step_symbols(network):
    """What one step may be given."""
    states = {f"{name}_prev": value for name, value in network.state_0._asdict().items()}
    return {"x_t": network.x[0], "xW_t": network.xW[0]} | states | network.weights()


def step_backward_problem(module, kind, nonlinearity=None):
    """A problem maker for one step's backward."""

    def problem(rng, sizes, asked):
        network = Network(module, kind, rng, sizes, asked, nonlinearity)
        step = run_step(network)
        incoming = {"dh_t": rng.standard_normal(step.h_t.shape)}
        if kind == "LSTM":
            incoming["dc_next"] = network.gradient("dc_next")
        gradients = network.function("step_backward")(*incoming.values(), step, network.W_h, **network.f)
        symbols = incoming | {"step": step} | inner(step._asdict(), "h_prev", "c_prev") | step_symbols(network)
        beyond = partial(weight_gradients, network)
        return Problem(symbols, step_gradients(network, gradients, incoming), beyond)

    return problem


def step_gradients(network, gradients, incoming):
    """Every gradient of one step: of intermediates, of each gate's pre-activation, of inputs and weights."""
    found = inner(gradients._asdict(), *incoming, "dh_prev", "da_t")
    gates = GATES[network.kind]
    da = np.split(gradients.da_t, len(gates) or 1, axis=1)
    found |= {f"da_{gate}": block for gate, block in zip(gates, da, strict=False)}
    found |= {"da_t": gradients.da_t, "dxW_t": gradients.da_t, "dh_prev": gradients.dh_prev}
    return found | weight_gradients(network, gradients._asdict())


def weight_gradients(network, gradients):
    """What follows from a step's named gradients: of its input and of the weights, packed and gate by gate."""
    W_x, W_h, b = ROWS[network.kind]
    da, dhW = gradients["da_t"], gradients.get("dhW_t", gradients["da_t"])
    found = {"dx_t": da @ getattr(network.parameters, W_x).T}
    found |= {f"d{W_x}": network.x[0].T @ da, f"d{W_h}": network.state_0.h.T @ dhW, f"d{b}": da.sum(axis=0)}
    if network.kind == "GRU":
        found["db_hn"] = np.split(dhW, 3, axis=1)[2].sum(axis=0)
    parameters = network.Parameters(*[found[f"d{name}"] for name in network.Parameters._fields])
    return found | by_gate(parameters, GATES[network.kind], "d")


def forward_problem(module, kind, nonlinearity=None):
    """A problem maker for a whole sequence."""

    def problem(rng, sizes, asked):
        network = Network(module, kind, rng, sizes, asked, nonlinearity)
        out = network.forward()
        last = {f"{name}_T": value for name, value in out.state._asdict().items()}
        return Problem(sequence_symbols(network), inner_states(network, out) | last)

    return problem


def inner_states(network, out):
    """The sequence's intermediates as (T, N, H) arrays: i, f, o, c_tilde, c, tanh_c and h for an LSTM."""
    names = {"RNN": "a", "LSTM": "i f o c_tilde c tanh_c", "GRU": "r z n"}[network.kind].split()
    return {name: getattr(out.trace, name) for name in names} | {"h": out.h}


def sequence_symbols(network):
    """What a sequence's forward may be given."""
    states = {f"{name}_0": value for name, value in network.state_0._asdict().items()}
    symbols = {"x": network.x, "xW": network.xW, "parameters": network.parameters, "state_0": network.state_0}
    return symbols | states | network.weights()


def backward_problem(module, kind, nonlinearity=None):
    """A problem maker for backpropagation through a whole sequence."""

    def problem(rng, sizes, asked):
        network = Network(module, kind, rng, sizes, asked, nonlinearity)
        out = network.forward()
        dh = rng.standard_normal(out.h.shape)
        incoming = {f"d{name}_T": network.gradient("dstate_T", f"d{name}_T") for name in network.State._fields}
        dstate_T = network.State(*incoming.values())
        gradients = network.function("backward")(network.parameters, dh, dstate_T, out.trace)
        trace = with_keys(type(out.trace))(*out.trace)
        symbols = {"dh": dh, "dstate_T": dstate_T} | incoming | {"trace": trace} | inner_states(network, out)
        return Problem(symbols | sequence_symbols(network), sequence_gradients(network, gradients))

    return problem


def sequence_gradients(network, gradients):
    """dx, dh_0 (and dc_0), and the gradient of each parameter, packed and gate by gate."""
    found = {"dx": gradients.dx} | {f"d{name}_0": value for name, value in gradients.dstate_0._asdict().items()}
    found |= {f"d{name}": value for name, value in gradients.dparameters._asdict().items()}
    return found | by_gate(gradients.dparameters, GATES[network.kind], "d")


def truncated_problem(rng, sizes, asked):
    """Truncated backpropagation through time for the RNN: windows of two steps, the state carried, no gradient back."""
    network = Network(rnn, "RNN", rng, sizes, asked, "tanh")
    dh, window = rng.standard_normal((sizes.T, sizes.N, sizes.H)), 2
    state, parts, h = network.state_0, [], []
    zeros = network.State(np.zeros_like(state.h))
    for start in range(0, sizes.T, window):
        here = slice(start, start + window)
        out = rnn.rnn_forward(network.parameters, network.x[here], state)
        state = out.state
        h.append(out.h)
        parts.append(rnn.rnn_backward(network.parameters, dh[here], zeros, out.trace).dparameters)
    total = [sum(arrays) for arrays in zip(*parts, strict=True)]
    answers = {f"d{name}": value for name, value in zip(network.Parameters._fields, total, strict=True)}
    return Problem({"dh": dh, "window": window} | sequence_symbols(network), answers | {"h": np.concatenate(h)})


def random_weights(rng, shape):
    """Weights of order one, scaled so that sums over them do not saturate every gate; biases too."""
    return rng.standard_normal(shape) / np.sqrt(shape[0] if len(shape) > 1 else 2)


def by_gate(parameters, gates, prefix):
    """Each gate's share of packed weights, under the names of the equations: W_xi, W_hi, b_i, …"""
    names = [f"{row}{gate}" for row in ("W_x", "W_h", "b_") for gate in gates]
    return {f"{prefix}{name}": getattr(parameters, name).copy() for name in names}


def inner(fields, *outer):
    """A record's fields without those that came in, or that are named later."""
    return {name: value for name, value in fields.items() if name not in outer}


def with_keys(record_type):
    """The same record type, whose fields can be had as record["h_prev"] too: a student may think of it as a dict."""

    def get(self, key):
        return getattr(self, key) if isinstance(key, str) else tuple.__getitem__(self, key)

    return type(record_type.__name__, (record_type,), {"__getitem__": get, "__slots__": ()})


CELLS = {"rnn": (rnn, "RNN"), "lstm": (lstm, "LSTM"), "gru": (gru, "GRU")}
