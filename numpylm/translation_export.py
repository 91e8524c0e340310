"""The weights of an encoder-decoder under the names, shapes and gate order of the PyTorch module translation_torch.py.

torch_bridge.py says what differs between the two. Nothing here imports PyTorch.
"""

from numpylm.torch_bridge import cell_state_dict

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
        f"{side}_embedding.weight": parameters[E].copy() for side, E in (("source", "E_x"), ("target", "E_y"))
    }
    for layer, cells in enumerate(model.layers("encoder")):
        directions = cells.directions if model.sizes.bidirectional else [cells]
        for direction, suffix in zip(directions, ("", "_reverse"), strict=False):
            state_dict |= cell_state_dict(kind, direction, f"encoder.{{}}_l{layer}{suffix}")
    for layer, cell in enumerate(model.layers("decoder")):
        state_dict |= cell_state_dict(kind, cell, f"decoder.{{}}_l{layer}")
    for name, (W, b) in LINEAR.items():
        if W in parameters:
            state_dict[f"{name}.weight"] = parameters[W].T.copy()
        if b in parameters:
            state_dict[f"{name}.bias"] = parameters[b].copy()
    if "v_a" in parameters:
        state_dict["score.weight"] = parameters["v_a"][None].copy()
    return state_dict | {"fc.weight": model.output_matrix().T.copy(), "fc.bias": parameters["b_y"].copy()}
