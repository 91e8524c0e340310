"""The export command: a model's weights for PyTorch."""

from pathlib import Path

import numpy as np

from numpylm.commands.run_folder import RunError, check_new_file
from numpylm.commands.trained import add_run_argument, kind_of, load_trained
from numpylm.data.atomic import replacing
from numpylm.torch_bridge import to_torch_state_dict, translation_state_dict

DESCRIPTION = (
    "Write a model's weights as a PyTorch state dict: FILE.npz with NumPy alone, or FILE.pt where PyTorch is installed."
)


def add_options(parser):
    """RUN --to FILE"""
    add_run_argument(parser)
    parser.add_argument("--to", required=True, metavar="FILE", help="a new file, ending in .npz or .pt")


def run(options):
    """numpylm export"""
    target = Path(options.to)
    check_new_file(target, ".npz", ".pt")
    torch = import_torch() if target.suffix == ".pt" else None
    is_translation = kind_of(options.trained).name == "translation"
    model = load_trained(options.trained, "translation" if is_translation else "language").model
    state_dict = translation_state_dict(model) if is_translation else to_torch_state_dict(model)
    with replacing(target) as file:
        if torch is None:
            np.savez(file, **state_dict)
        else:
            torch.save({name: torch.from_numpy(array) for name, array in state_dict.items()}, file)
    print(f"wrote {len(state_dict)} arrays to {target}")
    (print_translator if is_translation else print_loading)(model, loading(target))


def loading(target):
    """The Python expression that reads a state dict from a file."""
    if target.suffix == ".npz":
        return f"{{name: torch.from_numpy(array) for name, array in np.load({str(target)!r}).items()}}"
    return f"torch.load({str(target)!r})"


def print_translator(model, loading):
    """Prints the source of the PyTorch module that takes an encoder-decoder's weights, and how."""
    source = Path(__file__).parents[1] / "translation_torch.py"
    arguments = ", ".join(f"{name}={value!r}" for name, value in model.config.items())
    print(f"the PyTorch module that takes them, from {source.name}:\n\n{source.read_text(encoding='utf-8')}")
    print(f"network = Translator({arguments})\nnetwork.load_state_dict({loading})")


def print_loading(model, loading):
    """Prints the PyTorch module that takes a language model's weights, and how."""
    sizes, kind = model.sizes, model.cell.name
    print("in PyTorch, a module with the attributes")
    print(f"  embedding = nn.Embedding({sizes.vocab_size}, {sizes.embedding_dim})")
    layers = f", num_layers={sizes.num_layers}" if sizes.num_layers > 1 else ""
    relu = ', nonlinearity="relu"' if model.cell.options.get("nonlinearity") == "relu" else ""
    print(f"  {kind} = nn.{kind.upper()}({sizes.embedding_dim}, {sizes.hidden_dim}{layers}{relu})")
    print(f"  fc = nn.Linear({sizes.hidden_dim}, {sizes.vocab_size})")
    print(f"takes them by\n  module.load_state_dict({loading})")


def import_torch():
    """The module torch; RunError where PyTorch is not installed."""
    try:
        import torch
    except ImportError:
        raise RunError("a .pt file needs PyTorch, which is not installed here; write an .npz file") from None
    return torch
