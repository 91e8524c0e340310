"""Results that others published, again, in pure NumPy: one recipe for each row of the table in benchmarks/README.md.

    python benchmarks/recipes.py --list                 the recipes
    python benchmarks/recipes.py NAME [DATA_FOLDER]     runs one; DATA_FOLDER holds what its row of --list names
    python benchmarks/recipes.py --table                the results so far, as a table in Markdown

A recipe writes benchmarks/results/NAME.csv (its progress) and NAME.json (its choices and its result). Models and
checkpoints go to a folder below runs/ (--runs). A recipe that was stopped goes on from there when you call it again.
"""

import argparse
import sys
import textwrap
from pathlib import Path

from recipe_list import RECIPES
from recipe_results import RESULTS, table, write_result

from numpylm.commands.console import blas_threads
from numpylm.commands.run_folder import RunError


def main(arguments=None):
    """The command; returns the exit status."""
    options = parsed(arguments)
    try:
        if options.list:
            print(listing())
        elif options.table:
            print(table(RECIPES.values(), options.results))
        else:
            run(options)
    except (ValueError, OSError, RunError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from what was saved", file=sys.stderr)
        return 130
    return 0


def parsed(arguments):
    """The command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog="Recipes: " + ", ".join(RECIPES) + " (--list explains them)."
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="which recipe")
    parser.add_argument("data", nargs="?", type=Path, metavar="DATA_FOLDER", help="what it needs: see --list")
    parser.add_argument("--list", action="store_true", help="show all recipes")
    parser.add_argument("--table", action="store_true", help="show all results as a Markdown table")
    parser.add_argument("--runs", type=Path, default=Path("runs", "recipes"), metavar="DIR", help="(runs/recipes)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="(benchmarks/results)")
    return parser.parse_args(arguments)


def run(options):
    """Run the recipe that the options name. Raises ValueError if it is unknown, or its data is missing."""
    if options.name not in RECIPES:
        given = "no recipe is named" if options.name is None else f"there is no recipe {options.name!r}"
        raise ValueError(f"{given}; the recipes are {', '.join(RECIPES)}")
    recipe, data = RECIPES[options.name], None
    if recipe.data and not options.data:
        raise ValueError(f"{recipe.name} needs a data folder: python benchmarks/recipes.py {recipe.name} DATA_FOLDER")
    if recipe.data:
        data = options.data / recipe.data
        if not data.exists():
            raise ValueError(f"{recipe.name} needs {data}, which does not exist")
    threads = {} if recipe.threads is None else {"threads": recipe.threads}
    with blas_threads(1):
        measured = recipe.run(recipe.options, data, options.runs / recipe.name, **threads)
    write_result(options.results, recipe, measured)
    print(f"wrote {options.results / recipe.name}.csv and .json")


def listing():
    """The recipes, in lines of 80 characters or fewer: each with its figure to compare with."""
    lines = []
    for recipe in RECIPES.values():
        lines.append(recipe.name)
        needs = f"needs DATA_FOLDER/{recipe.data}" if recipe.data else "needs no data"
        for text in (recipe.what, needs, f"to compare with: {recipe.beside} ({recipe.source})"):
            lines += textwrap.wrap(text, 80, initial_indent="    ", subsequent_indent="      ")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
