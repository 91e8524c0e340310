"""The info command: what a checkpoint holds."""

import math
from pathlib import Path

from numpylm.checkpoint import read_contents
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.trained import add_run_argument, checkpoint_path, kind_of
from numpylm.data.printable import on_one_line, visible

DESCRIPTION = "What is in a checkpoint: model, sizes, parameters, vocabulary, training."


def add_options(parser):
    """RUN"""
    add_run_argument(parser)


def run(options):
    """numpylm info"""
    path = checkpoint_path(options.trained)
    metadata, layout, vocabularies = read_contents(path)
    kind = kind_of(options.trained)
    print(f"{on_one_line(path)}: {metadata['kind'].upper()} {kind.name} model, {metadata['dtype']}")
    width = max(map(len, metadata["config"])) + 1
    for name, value in metadata["config"].items():
        print(f"  {name:<{max(16, width)}}{value}")
    print_parameters(layout)
    for name, vocabulary in vocabularies.items():
        print("vocabulary" if len(vocabularies) == 1 else f"vocabulary of the {name}")
        print(f"  {len(vocabulary):,} {vocabulary.level}s, in the order of their ids")
        print(cut("  " + " ".join(map(visible, vocabulary.tokens[:100])), terminal_width() - 1))
    last = Path(options.trained) / "last.npz"
    fields = read_contents(last)[0]["training"] if last.exists() else metadata["training"]
    if fields is not None:
        print_training(fields)


def print_parameters(layout):
    """Prints the name, shape and number of entries of each parameter in a checkpoint's layout."""
    shapes = {
        name.removeprefix("parameter."): shape for name, (shape, _) in layout.items() if name.startswith("parameter.")
    }
    width = max(16, max(map(len, shapes)) + 1)
    print("parameters")
    for name, shape in shapes.items():
        print(f"  {name:<{width}}{shape!s:<18}{math.prod(shape):>12,}")
    print(f"  {'together':<{width + 18}}{sum(map(math.prod, shapes.values())):>12,}")


def print_training(fields):
    """Prints how far training is, from the fields that last.npz keeps."""
    losses = fields["valid_losses"]
    shown = ("… " if len(losses) > 5 else "") + ", ".join(f"{loss:.4f}" for loss in losses[-5:])
    print(f"training\n  step {fields['step']}, {fields['epoch']} whole epochs")
    print(f"  validation losses: {shown or 'none yet'}")
