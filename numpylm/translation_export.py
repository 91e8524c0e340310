"""The weights of an encoder-decoder under the names, shapes and gate order of the PyTorch module translation_torch.py.

torch_bridge.py says what differs between the two. Nothing here imports PyTorch.
"""

import numpy as np

from numpylm.torch_bridge import cell_state_dict

OTHERS = {  # PyTorch's name -> our matrix and bias
    "score_state": ("W_sa", None),
    "score_source": ("W_ha", "b_a"),
    "from_context": ("W_cs", "b_s"),
    "from_state": ("W_ss", None),
    "score": ("v_a", None),
    "fc": ("W_sy", "b_y"),
}


def translation_state_dict(model):
    """PyTorch's name -> a new array, for an EncoderDecoder."""
    parameters = model.parameters() | {"W_sy": model.output_matrix()}
    state_dict = {
        f"{side}_embedding.weight": parameters[E].copy() for side, E in (("source", "E_x"), ("target", "E_y"))
    }
    for part in ("encoder", "decoder"):
        for layer, cells in enumerate(model.layers(part)):
            directions = getattr(cells, "directions", [cells])
            for direction, suffix in zip(directions, ("", "_reverse"), strict=False):
                state_dict |= cell_state_dict(model.sizes.cell, direction, f"{part}.{{}}_l{layer}{suffix}")
    for name, (W, b) in OTHERS.items():
        if W in parameters:
            state_dict[f"{name}.weight"] = np.atleast_2d(parameters[W].T).copy()
        if b in parameters:
            state_dict[f"{name}.bias"] = parameters[b].copy()
    return state_dict
