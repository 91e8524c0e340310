"""Results that others published, again, in pure NumPy: one recipe for each row of the README's table.

    python benchmarks/recipes.py --list                 the recipes
    python benchmarks/recipes.py NAME [DATA_FOLDER]     runs one; DATA_FOLDER holds ptb/ and tinyshakespeare.txt
    python benchmarks/recipes.py --table                the results so far, as a table in Markdown

A recipe writes benchmarks/results/NAME.csv, how it went, and NAME.json, what came out and of which choices. Models and
checkpoints go to a folder below runs/ (--runs): a recipe that was stopped goes on from there when it is called again.
"""

import argparse
import sys
import textwrap
from pathlib import Path

from recipe_list import RECIPES
from recipe_results import RESULTS, table, write_result

from numpylm.commands.console import blas_threads
from numpylm.commands.run_folder import RunError

SHOWN_NAMES = 8  # of a folder's files, in an error message


def main(arguments=None):
    """The command; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if options.list:
        print(listing())
        return 0
    if options.table:
        print(table(RECIPES.values(), options.results))
        return 0
    try:
        run(options)
    except (ValueError, OSError, RunError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from what was saved", file=sys.stderr)
        return 130
    return 0


def build_parser():
    """The parser of the command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog="Recipes: " + ", ".join(RECIPES) + " (--list explains them)."
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="which recipe")
    parser.add_argument("data", nargs="?", type=Path, metavar="DATA_FOLDER", help="holds ptb/ and tinyshakespeare.txt")
    parser.add_argument("--list", action="store_true", help="show all recipes")
    parser.add_argument("--table", action="store_true", help="show all results as a Markdown table")
    parser.add_argument("--runs", type=Path, default=Path("runs", "recipes"), metavar="DIR", help="(runs/recipes)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="(benchmarks/results)")
    return parser


def run(options):
    """Runs the recipe that the options name. Raises ValueError where it is unknown, or its data is missing."""
    if options.name not in RECIPES:
        given = "no recipe is named" if options.name is None else f"there is no recipe {options.name!r}"
        raise ValueError(f"{given}; the recipes are {', '.join(RECIPES)}")
    recipe = RECIPES[options.name]
    data = find_data(recipe, options.data)
    with blas_threads(1):
        measured = recipe.measure(data, options.runs / recipe.name)
    write_result(options.results, recipe, measured)
    print(f"wrote {options.results / recipe.name}.csv and .json")


def find_data(recipe, folder):
    """The path of the recipe's data in a folder; None for a recipe that needs none. Raises ValueError if missing."""
    if recipe.data is None:
        return None
    if folder is None:
        raise ValueError(f"{recipe.name} needs a data folder: python benchmarks/recipes.py {recipe.name} DATA_FOLDER")
    path = folder / recipe.data
    if not path.exists():
        raise ValueError(
            f"{recipe.name} needs {recipe.data} in {folder}, which is missing; there is {contents(folder)}"
        )
    return path


def contents(folder):
    """The first names in a folder, for an error message."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(entry.name for entry in folder.iterdir())
    return ", ".join(names[:SHOWN_NAMES]) + (", …" if len(names) > SHOWN_NAMES else "") or "nothing"


def listing():
    """The recipes, in lines of 80 characters or fewer: what each is, and its published figure."""
    lines = []
    for recipe in RECIPES.values():
        lines.append(recipe.name)
        for text in (recipe.what, f"published: {recipe.published} ({recipe.source})"):
            lines += textwrap.wrap(text, 80, initial_indent="    ", subsequent_indent="      ")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
