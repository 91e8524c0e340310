"""The export command: a model's weights for PyTorch."""

from pathlib import Path

import numpy as np

from numpylm.commands.run_folder import RunError, check_new_file
from numpylm.commands.trained import add_run_argument, kind_of, load_trained
from numpylm.data.atomic import replacing
from numpylm.torch_bridge import to_torch_state_dict

DESCRIPTION = (
    "Write a model's weights as a PyTorch state dict: FILE.npz with NumPy alone, or FILE.pt where PyTorch is installed."
)


def add_options(parser):
    add_run_argument(parser)
    parser.add_argument("--to", required=True, metavar="FILE", help="a new file, ending in .npz or .pt")


def run(options):
    target = check_new_file(options.to, ".npz", ".pt")
    if target.suffix == ".pt":
        try:
            import torch
        except ImportError:
            raise RunError("a .pt file needs PyTorch, which is not installed here; write an .npz file") from None
    is_translator = kind_of(options.trained).name == "translation"
    model = load_trained(options.trained, "translation" if is_translator else "language").model
    state_dict = to_torch_state_dict(model)
    with replacing(target) as file:
        if target.suffix == ".npz":
            np.savez(file, **state_dict)
            loading = f"{{name: torch.from_numpy(array) for name, array in np.load({str(target)!r}).items()}}"
        else:
            torch.save({name: torch.from_numpy(array) for name, array in state_dict.items()}, file)
            loading = f"torch.load({str(target)!r})"
    print(f"wrote {len(state_dict)} arrays to {target}")
    print(translator_source(model) if is_translator else module_lines(model), end="")
    print(f"{'network' if is_translator else '  module'}.load_state_dict({loading})")


def translator_source(model):
    """The source of the PyTorch module that takes an encoder-decoder's weights, and how it is made."""
    source = Path(__file__).parents[1] / "kinds" / "translation_torch.py"
    arguments = ", ".join(f"{name}={value!r}" for name, value in model.config.items())
    return (
        f"the PyTorch module that takes them, from {source.name}:\n\n{source.read_text(encoding='utf-8')}\n"
        f"network = Translator({arguments})\n"
    )


def module_lines(model):
    """The PyTorch module that takes a language model's weights."""
    (V, D, H, L, *_), kind = model.sizes, model.cell.name
    layers = f", num_layers={L}" if L > 1 else ""
    relu = ', nonlinearity="relu"' if model.cell.options.get("nonlinearity") == "relu" else ""
    return (
        "in PyTorch, a module with the attributes\n"
        f"  embedding = nn.Embedding({V}, {D})\n"
        f"  {kind} = nn.{kind.upper()}({D}, {H}{layers}{relu})\n"
        f"  fc = nn.Linear({H}, {V})\n"
        "takes them by\n"
    )
