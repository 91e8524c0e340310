"""The commands about a checkpoint itself: info and export."""

from pathlib import Path

import numpy as np

from numpylm.checkpoint import read_contents
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.run_folder import RunError
from numpylm.commands.use_commands import checkpoint_path, load_trained, visible
from numpylm.torch_bridge import to_torch_state_dict


def info(options):
    """numpylm info"""
    path = checkpoint_path(options.trained)
    metadata, layout = read_contents(path)
    print(f"{path}: {metadata['model'].upper()} language model, {metadata['dtype']}")
    for name, value in metadata["config"].items():
        print(f"  {name:<16}{value}")
    print_parameters(layout)
    if metadata["vocabulary"] is not None:
        print_vocabulary(metadata["vocabulary"])
    last = Path(options.trained) / "last.npz"
    fields = read_contents(last)[0]["training"] if last.exists() else metadata["training"]
    if fields is not None:
        print_training(fields)


def print_parameters(layout):
    """Prints the name, shape and number of entries of each parameter in a checkpoint's layout."""
    shapes = {
        name.removeprefix("parameter."): shape for name, (shape, _) in layout.items() if name.startswith("parameter.")
    }
    print("parameters")
    for name, shape in shapes.items():
        print(f"  {name:<16}{shape!s:<18}{int(np.prod(shape)):>12,}")
    print(f"  {'together':<34}{sum(int(np.prod(shape)) for shape in shapes.values()):>12,}")


def print_vocabulary(fields):
    """Prints how many tokens a checkpoint's vocabulary has, and the first in a line."""
    tokens = fields["tokens"]
    print(f"vocabulary\n  {len(tokens):,} {fields['level']}s, the most frequent first")
    print(cut("  " + " ".join(map(visible, tokens[:100])), terminal_width() - 1))


def print_training(fields):
    """Prints how far training is, from the fields that last.npz keeps."""
    losses = fields.get("valid_losses", [])
    shown = ("… " if len(losses) > 5 else "") + ", ".join(f"{loss:.4f}" for loss in losses[-5:])
    print(f"training\n  step {fields.get('step')}, {fields.get('epoch')} whole epochs")
    print(f"  validation losses: {shown or 'none yet'}")


def export(options):
    """numpylm export"""
    target = Path(options.to)
    check_target(target)
    model, _ = load_trained(options.trained)
    state_dict = to_torch_state_dict(model)
    if target.suffix == ".npz":
        with open(target, "xb") as file:
            np.savez(file, **state_dict)
        loading = f"{{name: torch.from_numpy(array) for name, array in np.load({str(target)!r}).items()}}"
    else:
        save_with_torch(target, state_dict)
        loading = f"torch.load({str(target)!r})"
    sizes, kind = model.sizes, model.cell.name
    print(f"wrote {len(state_dict)} arrays to {target}; in PyTorch, a module with the attributes")
    print(f"  embedding = nn.Embedding({sizes.vocab_size}, {sizes.embedding_dim})")
    layers = f", num_layers={sizes.num_layers}" if sizes.num_layers > 1 else ""
    print(f"  {kind} = nn.{kind.upper()}({sizes.embedding_dim}, {sizes.hidden_dim}{layers}{relu_option(model)})")
    print(f"  fc = nn.Linear({sizes.hidden_dim}, {sizes.vocab_size})")
    print(f"takes them by\n  module.load_state_dict({loading})")


def check_target(target):
    """Raises RunError unless a new .npz or .pt file can be written there."""
    if target.suffix not in (".npz", ".pt"):
        raise RunError(f"{target} must end in .npz or .pt")
    if target.exists():
        raise RunError(f"{target} exists already; name a new file")
    if not target.parent.is_dir():
        raise RunError(f"{target} cannot be written: there is no folder {target.parent}")


def relu_option(model):
    """What nn.RNN must be told for ReLU."""
    return ', nonlinearity="relu"' if model.cell.options.get("nonlinearity") == "relu" else ""


def save_with_torch(target, state_dict):
    """Writes a .pt file; RunError where PyTorch is not installed."""
    try:
        import torch
    except ImportError:
        raise RunError("a .pt file needs PyTorch, which is not installed here; write an .npz file") from None
    with open(target, "xb") as file:
        torch.save({name: torch.from_numpy(array) for name, array in state_dict.items()}, file)
