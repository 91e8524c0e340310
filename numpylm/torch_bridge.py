"""To PyTorch and back: the same weights under the names, shapes and gate order of PyTorch's modules.

    RNNLM:   nn.Embedding(V, D) -> nn.RNN(D, H, L)  -> nn.Linear(H, V)      attributes embedding, rnn, fc
    LSTMLM:  nn.Embedding(V, D) -> nn.LSTM(D, H, L) -> nn.Linear(H, V)      attributes embedding, lstm, fc
    GRULM:   nn.Embedding(V, D) -> nn.GRU(D, H, L)  -> nn.Linear(H, V)      attributes embedding, gru, fc

This module translates what differs:

    columns are outputs     PyTorch computes x Wᵀ, so every matrix is the transpose of ours: weight_ih is W_xᵀ
    the gates' order        PyTorch's LSTM packs i, f, g, o, with g our c̃; its GRU r, z, n as we do
    two biases              PyTorch adds bias_ih and bias_hh where equations (1) to (6), (10) and (11) have one bias:
                            export writes it to bias_ih, with zeros in bias_hh, and import adds the two. Only the
                            GRU's n_t needs both: bias_ih is b_n, bias_hh is b_hn

Arrays are NumPy's on both sides; torch.from_numpy makes tensors of them. Nothing here imports PyTorch.
"""

from collections.abc import Mapping

import numpy as np

from numpylm.base import require
from numpylm.stack import stack_parameters

# PyTorch's k-th block of columns is our block GATES[kind][k]. Each order is its own inverse, so it serves both ways.
GATES = {"rnn": (0,), "lstm": (0, 1, 3, 2), "gru": (0, 1, 2)}
TABLES = {"embedding": "E", "source_embedding": "E_x", "target_embedding": "E_y"}
LINEAR = {  # PyTorch's layer -> our matrix and bias; the attention's layers as in kinds/translation_torch.py
    "score_state": ("W_sa", None),
    "score_source": ("W_ha", "b_a"),
    "from_context": ("W_cs", "b_s"),
    "from_state": ("W_ss", None),
    "score": ("v_a", None),
    "fc": ("output matrix", "b_y"),
}


def to_torch_state_dict(model):
    """PyTorch's name -> a new array, in PyTorch's shapes and gate order. An encoder-decoder's names are those of the
    PyTorch module in kinds/translation_torch.py."""
    require.model(model, "output_matrix", "a language model such as nlm.LSTMLM(50, 16, 32), or an encoder-decoder")
    parameters, kind = model.parameters() | {"output matrix": model.output_matrix()}, model.cell.name
    stacks = [(f"{kind}.", model.stack)] if hasattr(model, "stack") else [("", model.encoder), ("", model.decoder)]
    state_dict = {f"{name}.weight": parameters[E].copy() for name, E in TABLES.items() if E in parameters}
    for prefix, stack in stacks:
        for layer, cells in enumerate(stack_parameters(stack, parameters)):
            directions = getattr(cells, "directions", [cells])
            for direction, suffix in zip(directions, ("", "_reverse"), strict=False):
                state_dict |= cell_state_dict(kind, direction, f"{prefix}{stack.name}{{}}_l{layer}{suffix}")
    for name, (W, b) in LINEAR.items():
        if W in parameters:
            state_dict[f"{name}.weight"] = np.atleast_2d(parameters[W].T).copy()
        if b in parameters:
            state_dict[f"{name}.bias"] = parameters[b].copy()
    return state_dict


def cell_state_dict(kind, parameters, name):
    """One cell's four arrays; name has {} where PyTorch writes weight_ih, weight_hh, bias_ih or bias_hh."""
    W_x, W_h, b, *b_hn = parameters
    bias_hh = np.zeros_like(b)
    if b_hn:
        bias_hh[-b_hn[0].size :] = b_hn[0]
    arrays = {"weight_ih": W_x, "weight_hh": W_h, "bias_ih": b, "bias_hh": bias_hh}
    return {name.format(key): reorder_gates(array, GATES[kind]).T.copy() for key, array in arrays.items()}


def load_torch_state_dict(model, state_dict):
    """Write a PyTorch state dict (name -> array or CPU tensor) into a model's parameters, in the model's dtype.

    Raises ValueError, before anything is changed, for names or shapes that are not those of to_torch_state_dict(model),
    and for a tied model when embedding.weight and fc.weight differ.
    """
    expected = to_torch_state_dict(require.language_model(model))
    require.instance("the state dict", state_dict, Mapping, "a dict, name -> array")
    arrays = {name: np.asarray(value) for name, value in state_dict.items()}
    check_state_dict(expected, arrays, model.sizes.tie_weights)
    parameters, kind = model.parameters(), model.cell.name
    parameters["E"][...] = arrays["embedding.weight"]
    for layer in range(model.sizes.num_layers):
        W_x, W_h, b, *b_hn = model.layer_parameters(layer)
        bias_ih = reorder_gates(arrays[f"{kind}.bias_ih_l{layer}"], GATES[kind])
        bias_hh = reorder_gates(arrays[f"{kind}.bias_hh_l{layer}"], GATES[kind])
        W_x[...] = reorder_gates(arrays[f"{kind}.weight_ih_l{layer}"].T, GATES[kind])
        W_h[...] = reorder_gates(arrays[f"{kind}.weight_hh_l{layer}"].T, GATES[kind])
        if b_hn:
            b_hn[0][...] = bias_hh[-b_hn[0].size :]
            bias_hh[-b_hn[0].size :] = 0
        b[...] = bias_ih + bias_hh
    if not model.sizes.tie_weights:
        parameters["W_hy"][...] = arrays["fc.weight"].T
    parameters["b_y"][...] = arrays["fc.bias"]


def reorder_gates(packed, order):
    """A copy of packed (..., G H) whose k-th block of H columns is packed's block order[k]."""
    blocks = np.split(packed, len(order), axis=-1)
    return np.concatenate([blocks[gate] for gate in order], axis=-1)


def check_state_dict(expected, arrays, tied):
    """Raise ValueError for missing, unknown or misshapen arrays."""
    if expected.keys() != arrays.keys():
        missing, unknown = sorted(expected.keys() - arrays.keys()), sorted(arrays.keys() - expected.keys())
        raise ValueError(f"the state dict does not fit the model; missing: {missing}, unknown: {unknown}")
    for name, array in arrays.items():
        if array.shape != expected[name].shape:
            raise ValueError(f"{name} must be of shape {expected[name].shape}; got {array.shape}")
    if tied and not np.array_equal(arrays["embedding.weight"], arrays["fc.weight"]):
        raise ValueError("the model ties its weights, but embedding.weight and fc.weight differ")
