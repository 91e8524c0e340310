"""The info command: what a checkpoint holds."""

import math
from pathlib import Path

from numpylm.checkpoint import read_contents
from numpylm.commands.console import cut, print_table, terminal_width
from numpylm.commands.trained import add_run_argument, checkpoint_path, kind_of
from numpylm.data.printable import on_one_line, visible

DESCRIPTION = "What is in a checkpoint: model, sizes, parameters, vocabulary, training."
add_options = add_run_argument


def run(options):
    path = checkpoint_path(options.trained)
    metadata, layout, vocabularies = read_contents(path)
    print(f"{on_one_line(path)}: {metadata['kind'].upper()} {kind_of(options.trained).name} model, {metadata['dtype']}")
    for name, value in metadata["config"].items():
        print(f"  {name:<18}{value}")
    shapes = {name.removeprefix("parameter."): shape for name, (shape, _) in layout.items() if "parameter." in name}
    rows = {name: [str(shape), f"{math.prod(shape):,}"] for name, shape in shapes.items()}
    print_table("parameters", (), rows | {"together": ["", f"{sum(map(math.prod, shapes.values())):,}"]})
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
