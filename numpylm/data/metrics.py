"""metrics.csv: how a run went, a row for each part of an epoch.

step, epoch, tokens     how far training is; epoch is a decimal number, tokens counts all targets that were predicted
seconds                 spent in training and validation
train_loss              mean nats per target since the row before; empty if there was no step since
valid_loss              nats per target on the validation data, in the row that ends an epoch; else empty
gradient_norm           mean global norm before clipping since the row before
learning_rate           of the last step
tokens_per_second       over all training steps so far
loss_unit               what the losses are in: "nats per word"
"""

from pathlib import Path

COLUMNS = (
    *("step", "epoch", "tokens", "seconds", "train_loss", "valid_loss"),
    *("gradient_norm", "learning_rate", "tokens_per_second", "loss_unit"),
)


def read_metrics(path):
    """The rows of a metrics.csv, as dicts of numbers (None where empty) and the unit; no rows if there is no file.

    A last line that a crash cut short is left out. Raises ValueError for a file of other columns or contents.
    """
    header, *lines = complete_lines(path) or [",".join(COLUMNS)]
    names = header.split(",")
    if names not in (list(COLUMNS), list(COLUMNS[:-1])):  # older versions did not say the unit
        raise ValueError(f"{path} is no metrics.csv: its first line must be {','.join(COLUMNS)}; got {header!r:.80}")
    rows = []
    for line in lines:
        try:
            cells = zip(names, line.split(","), strict=True)
            rows.append({name: cell if name == "loss_unit" else number(cell) for name, cell in cells})
        except ValueError:
            raise ValueError(f"{path} is damaged: {line!r:.80} is not a row of {len(names)} cells") from None
    return rows


def complete_lines(path):
    """The complete lines of a file: a crash may have cut the last one short. None of them if there is no file."""
    return Path(path).read_text(encoding="utf-8").split("\n")[:-1] if Path(path).exists() else []


def number(cell):
    """A cell of the table as an int or a float, None if empty."""
    if cell == "":
        return None
    return int(cell) if cell.isdecimal() else float(cell)
