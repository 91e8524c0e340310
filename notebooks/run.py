"""Runs the notebooks from top to bottom.

    python notebooks/run.py [NAME...]           and keeps their outputs in the files
    python notebooks/run.py --check [NAME...]   and leaves the files alone; runs the solutions too

NAME is a notebook's number or file name; without one, all of them run, two at a time. Failures are
an error, a warning (anything on the standard error), more than 60 seconds, and a solution that its
exercise's test does not accept. Each is printed with its place, such as "06_step_an_rnn.ipynb, cell
7, line 3: ValueError: …" (cells are counted from 1), and makes the exit status 1.
"""

import argparse
import asyncio
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ADDRESS = ""  # of the public repository, such as https://github.com/NAME/numpylm, when there is one
FOLDER = Path(__file__).resolve().parent
SECONDS = 60
AT_ONCE = 2
INSTALLER = """\
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("numpylm") is None:  # as in Colab
    command = [sys.executable, "-m", "pip", "install", "-q", "git+{address}"]
    subprocess.run(command, check=True)"""
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
SOLUTION = re.compile(r"<details>.*?```python\n(.*?)```.*?</details>", re.DOTALL)


class NotebookFailure(Exception):
    """What went wrong, and where: its text is the line to print."""


def main(arguments=None):
    """Run what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a number or file name (all)")
    parser.add_argument("--check", action="store_true", help="write nothing; run the solutions too")
    options = parser.parse_args(arguments)
    try:
        paths = chosen(options.names)
    except ValueError as error:
        parser.error(str(error))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # a warning of the kernel's own
    return asyncio.run(run_all(paths, options.check))


def chosen(names):
    """The notebooks of these numbers or names, or all. Raises ValueError for an unknown one."""
    every = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
    if not names:
        return every
    paths = []
    for name in names:
        found = [Path(name)] if Path(name).is_file() else [p for p in every if fits(p, name)]
        if not found:
            there_are = ", ".join(path.name for path in every)
            raise ValueError(f"there is no notebook {name!r}; there are {there_are}")
        paths += found
    return paths


def fits(path, name):
    """Whether a name, such as 6, 06 or 06_step_an_rnn, means this notebook."""
    if name.isdigit():
        return int(path.name[:2]) == int(name)
    return path.stem == name.removesuffix(".ipynb")


async def run_all(paths, check):
    """Run the notebooks, AT_ONCE at a time, and print a line for each; return the exit status."""
    places = asyncio.Semaphore(AT_ONCE)

    async def run_one(path):
        async with places:
            started = time.perf_counter()
            try:
                await run(path, check)
            except NotebookFailure as failure:
                print(failure, flush=True)
                return 1
            print(f"{path.name}: {time.perf_counter() - started:.1f} s", flush=True)
            return 0

    return max(await asyncio.gather(*map(run_one, paths)), default=0)


async def run(path, check):
    """Run one notebook; write it back unless check. Raises NotebookFailure."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = with_installer(notebook.cells, ADDRESS)
    cells = list(notebook.cells)
    if check:
        notebook.cells = cells + solution_cells(path.name, cells)
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],  # of the kernel, about its connection
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    started = time.perf_counter()
    try:
        await client.async_execute()
    except CellExecutionError:
        raise NotebookFailure(first_error(path.name, notebook.cells)) from None
    except CellTimeoutError:
        raise NotebookFailure(f"{path.name}: a cell took more than {SECONDS} s") from None
    except DeadKernelError as error:
        raise NotebookFailure(f"{path.name}: {error}") from None
    seconds = time.perf_counter() - started
    raise_for_warnings(path.name, notebook.cells)
    raise_for_solutions(notebook.cells)
    if seconds > SECONDS:
        raise NotebookFailure(f"{path.name}: took {seconds:.0f} s, more than {SECONDS}")
    if not check:
        write(path, notebook)


def with_installer(cells, address):
    """The cells; with an address, the first code installs the package where it is missing."""
    cells = [cell for cell in cells if cell.get("id") != "install"]
    if not address:
        return cells
    first = next(k for k, cell in enumerate(cells) if cell.cell_type == "code")
    installer = nbformat.v4.new_code_cell(INSTALLER.format(address=address), id="install")
    return [*cells[:first], installer, *cells[first:]]


def write(path, notebook):
    """Write a notebook so that a second run writes the same bytes.

    The metadata are those that JupyterLab writes (the kernel has said what language_info is). So
    opening a notebook does not mark it as changed.
    """
    language = notebook.metadata.get("language_info", {})
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": language})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
    nbformat.write(notebook, path)


def solution_cells(name, cells):
    """For each exercise's solution, a cell that runs the exercise's test on it.

    Raises NotebookFailure for a solution that has no exercise in the code cell before it.
    """
    added = []
    exercise = None
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type == "code":
            exercise = cell.source if "@attempt" in cell.source else None
            continue
        for solution in SOLUTION.findall(cell.source):
            if exercise is None:
                raise NotebookFailure(f"{name}, cell {number}: a solution without its exercise")
            stub, mark, test = exercise.partition("@attempt")
            solved = nbformat.v4.new_code_cell(f"{stub}\n{solution}\n{mark}{test}")
            solved.metadata["solution"] = f"{name}, cell {number}: the solution"
            added.append(solved)
    return added


def first_error(name, cells):
    """Where and what the error in the cells' outputs is."""
    for number, cell in enumerate(cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                line = line_of(output.traceback)
                place = cell.metadata.get("solution") or f"{name}, cell {number}, line {line}"
                return f"{place}: {output.ename}: {first_line(output.evalue)}"
    return f"{name}: a cell failed"


def first_line(text):
    """A text's first line that is not empty."""
    return text.strip().split("\n")[0]


def line_of(traceback):
    """The line of the cell that a traceback, with the terminal's colours, begins in."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(traceback))
    found = re.search(r"Cell In\[\d+\], line (\d+)", plain)
    return found[1] if found else "?"


def raise_for_warnings(name, cells):
    """Raises NotebookFailure if a cell wrote to the standard error."""
    for number, cell in enumerate(cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise NotebookFailure(f"{name}, cell {number}: warned: {first_line(output.text)}")


def raise_for_solutions(cells):
    """Raises NotebookFailure for the first solution that its exercise's test does not accept."""
    for cell in cells:
        if "solution" in cell.metadata:
            printed = "".join(output.get("text", "") for output in cell.outputs).strip()
            if printed.split("\n")[-1] != "right":
                raise NotebookFailure(f"{cell.metadata['solution']}: {printed or 'no verdict'}")


if __name__ == "__main__":
    sys.exit(main())
