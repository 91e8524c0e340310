"""The info command: what a checkpoint holds."""

import math
from pathlib import Path

from numpylm.checkpoint import read_contents
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.trained import add_run_argument, checkpoint_path, kind_of
from numpylm.data.printable import on_one_line, visible

DESCRIPTION = "What is in a checkpoint: model, sizes, parameters, vocabulary, training."


def add_options(parser):
    add_run_argument(parser)


def run(options):
    path = checkpoint_path(options.trained)
    metadata, layout, vocabularies = read_contents(path)
    print(f"{on_one_line(path)}: {metadata['kind'].upper()} {kind_of(options.trained).name} model, {metadata['dtype']}")
    print_column(metadata["config"])
    print_parameters({name: shape for name, (shape, _) in layout.items()})
    for name, vocabulary in vocabularies.items():
        print("vocabulary" if len(vocabularies) == 1 else f"vocabulary of the {name}")
        print(f"  {len(vocabulary):,} {vocabulary.level}s, in the order of their ids")
        print(cut("  " + " ".join(map(visible, vocabulary.tokens[:100])), terminal_width() - 1))
    last = Path(options.trained) / "last.npz"
    training = read_contents(last)[0]["training"] if last.exists() else metadata["training"]
    if training is not None:
        losses = training["valid_losses"]
        shown = ("… " if len(losses) > 5 else "") + ", ".join(f"{loss:.4f}" for loss in losses[-5:])
        print(f"training\n  step {training['step']}, {training['epoch']} whole epochs")
        print(f"  validation losses: {shown or 'none yet'}")


def print_parameters(shapes):
    """Prints the name, shape and number of entries of each parameter among a checkpoint's arrays."""
    shapes = {name.removeprefix("parameter."): shape for name, shape in shapes.items() if name.startswith("parameter.")}
    rows = {name: f"{shape!s:<18}{math.prod(shape):>12,}" for name, shape in shapes.items()}
    print("parameters")
    print_column(rows | {"together": f"{sum(map(math.prod, shapes.values())):>30,}"})


def print_column(values):
    """Prints a name and its value a line."""
    width = max(16, *(len(name) + 1 for name in values))
    for name, value in values.items():
        print(f"  {name:<{width}}{value}")
