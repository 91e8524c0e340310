"""The weights of an encoder-decoder under the names, shapes and gate order of the PyTorch module translation_torch.py.

torch_bridge.py says what differs between the two. Arrays are NumPy's; nothing here imports PyTorch.
"""

import numpy as np

from numpylm.torch_bridge import GATES, reorder_gates

LINEAR = {  # PyTorch's name -> our matrix and bias
    "score_state": ("W_sa", None),
    "score_source": ("W_ha", "b_a"),
    "from_context": ("W_cs", "b_s"),
    "from_state": ("W_ss", None),
}


def translation_state_dict(model):
    """PyTorch's name -> a new array, for an EncoderDecoder."""
    parameters, kind = model.parameters(), model.sizes.cell
    state_dict = {
        "source_embedding.weight": parameters["E_x"].copy(),
        "target_embedding.weight": parameters["E_y"].copy(),
    }
    for layer, record in enumerate(model.layers("encoder")):
        directions = record.directions if model.sizes.bidirectional else [record]
        for suffix, direction in zip(("", "_reverse"), directions, strict=False):
            state_dict.update(cell_state_dict(kind, direction, f"encoder.{{}}_l{layer}{suffix}"))
    for layer, record in enumerate(model.layers("decoder")):
        state_dict.update(cell_state_dict(kind, record, f"decoder.{{}}_l{layer}"))
    for name, (W, b) in LINEAR.items():
        if W in parameters:
            state_dict[f"{name}.weight"] = parameters[W].T.copy()
            if b:
                state_dict[f"{name}.bias"] = parameters[b].copy()
    if "v_a" in parameters:
        state_dict["score.weight"] = parameters["v_a"][None].copy()
    return {**state_dict, "fc.weight": model.output_matrix().T.copy(), "fc.bias": parameters["b_y"].copy()}


def cell_state_dict(kind, record, name):
    """One cell's four arrays; name has {} where PyTorch writes weight_ih, weight_hh, bias_ih or bias_hh."""
    W_x, W_h, b, *b_hn = record
    bias_hh = np.zeros_like(b)
    if b_hn:
        bias_hh[-b_hn[0].size :] = b_hn[0]
    arrays = {"weight_ih": W_x.T, "weight_hh": W_h.T, "bias_ih": b, "bias_hh": bias_hh}
    return {name.format(key): to_torch_gates(array, kind) for key, array in arrays.items()}


def to_torch_gates(packed, kind):
    """A copy of an array whose first axis holds the gates, with PyTorch's order of gates."""
    return np.ascontiguousarray(reorder_gates(packed.T, GATES[kind]).T)
