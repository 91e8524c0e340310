"""A recipe's result on disk, NAME.csv and NAME.json, and the table of all results."""

import csv
import datetime
import json
import os
import platform
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpylm.commands.run_folder import write_json

RESULTS = Path(__file__).parent / "results"
MOST_ROWS = 500  # of a CSV file
HEADER = ("recipe", "configuration", "parameters", "time", "validation", "test", "to compare with")


class Measured(NamedTuple):
    """What a recipe found: the rows of its CSV (dicts), and the fields of its JSON.

    The fields are: configuration (a dict), parameters (how many), seconds, tokens_per_second, unit ("perplexity", "nats
    per character", …), valid and test (numbers, or None), and other things worth keeping.
    """

    rows: list
    fields: dict


def measured(rows, configuration, model, seconds, unit, test, num_tokens=None, **others):
    """The Measured of a model that a recipe trains in a loop of its own, without a validation text."""
    fields = {
        "configuration": configuration,
        "parameters": sum(array.size for array in model.parameters().values()),
        "seconds": round(seconds, 2),
        "tokens_per_second": None if num_tokens is None else round(num_tokens / seconds),
        "unit": unit,
        "valid": None,
        "test": test,
    }
    return Measured(rows, fields | others)


def write_result(folder, recipe, measured):
    """Write NAME.json and NAME.csv: every k-th row, for the smallest k that leaves MOST_ROWS or fewer; rows with a
    validation stay, and the last."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, k = measured.rows, -(-len(measured.rows) // MOST_ROWS)
    with open(folder / f"{recipe.name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for i, row in enumerate(rows):
            if i % k == 0 or row is rows[-1] or row.get("valid_loss") is not None:
                writer.writerow({n: float(f"{v:.6g}") if isinstance(v, float) else v for n, v in row.items()})
    about = {
        "recipe": recipe.name,
        "command": f"python benchmarks/recipes.py {recipe.name}" + (" DATA_FOLDER" if recipe.data else ""),
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, NumPy {np.__version__}",
    }
    write_json(folder / f"{recipe.name}.json", about | measured.fields)


def table(recipes, folder):
    """Markdown: a row for each recipe that has a result, beside the figure to compare with."""
    lines = [HEADER, ("---",) * len(HEADER)]
    for recipe in recipes:
        path = folder / f"{recipe.name}.json"
        if path.exists():
            fields = json.loads(path.read_text(encoding="utf-8"))
            lines.append((
                f"`{recipe.name}`", recipe.what, f"{fields['parameters']:,}", duration(fields["seconds"]),
                shown(fields, "valid"), f"**{shown(fields, 'test')}**", f"{recipe.beside} ({recipe.source})",
            ))  # fmt: skip
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def shown(fields, part):
    """valid or test with its unit; of several seeds the mean, and the lowest and highest."""
    if fields[part] is None:
        return "–"
    digits = ".1f" if fields[part] > 20 else ".2g" if fields[part] < 0.1 else ".3f"
    seeds = fields.get("seeds") if part == "test" else None
    text = f"{fields[part]:{digits}}" + (f" ({min(seeds):{digits}} to {max(seeds):{digits}})" if seeds else "")
    return text if fields["unit"] == "perplexity" else f"{text} {fields['unit']}"


def duration(seconds):
    """45 s, or 12 min."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
