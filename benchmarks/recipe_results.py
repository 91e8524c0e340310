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


def write_result(folder, recipe, measured):
    """Write NAME.csv, with MOST_ROWS rows at most, and NAME.json."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{name: rounded(value) for name, value in row.items()} for row in thinned(measured.rows)]
    with open(folder / f"{recipe.name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    about = {
        "recipe": recipe.name,
        "command": f"python benchmarks/recipes.py {recipe.name}" + (" DATA_FOLDER" if recipe.data else ""),
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, NumPy {np.__version__}",
    }
    write_json(folder / f"{recipe.name}.json", about | measured.fields)


def thinned(rows):
    """Every k-th row, for the smallest k that leaves MOST_ROWS or fewer; rows with a validation stay, and the last."""
    k, last = -(-len(rows) // MOST_ROWS), len(rows) - 1
    return [row for i, row in enumerate(rows) if i % k == 0 or i == last or row.get("valid_loss") is not None]


def rounded(value):
    """A float to six significant digits; anything else as it is."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


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
    """Seconds as a person says them: 45 s, 12 min, 1 h 05 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
