"""A recipe's result on disk, NAME.csv and NAME.json, and the table that is made of all of them."""

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
HEADER = ("recipe", "configuration", "time", "tokens per second (fastest part)", "validation", "test", "published")


class Measured(NamedTuple):
    """What a recipe found: the rows of its CSV (dicts), and the fields of its JSON.

    The fields are: configuration (a dict), parameters (how many), seconds, tokens_per_second, unit ("perplexity", "nats
    per character", …), valid and test (numbers, or None), and what else is worth keeping.
    """

    rows: list
    fields: dict


def write_result(folder, recipe, measured):
    """Writes NAME.csv, thinned to MOST_ROWS, and NAME.json."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{name: rounded(value) for name, value in row.items()} for row in thinned(measured.rows)]
    with open(folder / f"{recipe.name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    about = {"recipe": recipe.name, "command": command(recipe), "date": datetime.date.today().isoformat()}
    machine = {"machine": f"{os.cpu_count()} cores, {platform.machine()}, NumPy {np.__version__}"}
    write_json(folder / f"{recipe.name}.json", {**about, **machine, **measured.fields})


def command(recipe):
    """How the recipe is run."""
    return f"python benchmarks/recipes.py {recipe.name}" + (" DATA_FOLDER" if recipe.data else "")


def thinned(rows):
    """Every k-th row, for the smallest k that leaves MOST_ROWS or fewer; rows with a validation stay, and the last."""
    k = -(-len(rows) // MOST_ROWS)
    last = len(rows) - 1
    return [row for i, row in enumerate(rows) if i % k == 0 or i == last or row.get("valid_loss") is not None]


def rounded(value):
    """A float to six significant digits; anything else as it is."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def table(recipes, folder):
    """Markdown: a row for each recipe that has a result, beside the published figure."""
    lines = [HEADER, ("---",) * len(HEADER)]
    for recipe in recipes:
        path = folder / f"{recipe.name}.json"
        if path.exists():
            lines.append(table_row(recipe, json.loads(path.read_text(encoding="utf-8"))))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table_row(recipe, fields):
    """One line of the table, cell by cell."""
    return (
        f"`{recipe.name}`", recipe.what, duration(fields["seconds"]), speed(fields),
        shown(fields, "valid"), f"**{shown(fields, 'test')}**", f"{recipe.published} ({recipe.source})",
    )  # fmt: skip


def speed(fields):
    """Tokens per second over all, and in the fastest part where that is known."""
    fastest = fields.get("fastest_tokens_per_second")
    return f"{fields['tokens_per_second']:,}" + (f" ({fastest:,})" if fastest else "")


def shown(fields, part):
    """A number with what it is to be compared by: the spread over seeds, or the floor."""
    if fields[part] is None:
        return "–"
    digits = ".1f" if fields["unit"] == "perplexity" and fields[part] > 20 else ".3g" if fields[part] < 0.1 else ".3f"
    text = f"{fields[part]:{digits}}"
    seeds = fields.get("seeds") if part == "test" else None
    if seeds:
        text += f" ({min(seeds):{digits}} to {max(seeds):{digits}})"
    return text if fields["unit"] == "perplexity" else f"{text} {fields['unit']}"


def duration(seconds):
    """Seconds as a person says them: 45 s, 12 min, 1 h 05 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
