"""Do the tests notice a bug? Each mutant is one changed line of a mathematical module, run against the module's tests.

    python benchmarks/mutation_testing.py [MODULE …]

Copies the package and its tests to a temporary folder, changes one line at a time by the rules below, and runs the
module's test file until the first failure. Prints every mutant that survives, and the share that was killed.
tests/README.md explains the survivors.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = [
    *("activations", "affine", "embedding", "loss", "rnn", "lstm", "gru"),
    *("masking", "dropout", "clipping", "optimizers", "schedules", "recurrence", "projection"),
    *("initialization", "model", "batches", "evaluation", "generation"),
]
TESTS = {  # where it is not the file of the same name alone
    "rnn": ["test_rnn.py", "test_initialization.py"],
    "lstm": ["test_lstm.py", "test_initialization.py"],
    "gru": ["test_gru.py", "test_initialization.py"],
    "recurrence": ["test_lstm.py", "test_gru.py", "test_model.py"],
}
TIMEOUT = 120  # seconds; a mutant that runs for ever is killed
RULES = [
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r" \* ", " + "),
    (r" / ", " * "),
    (r"\*\*", "*"),
    (r"\.T\b", ""),
    (r"\b1 - ", "2 - "),
    (r"\b0\b", "1"),
    (r"\b1\b", "2"),
    (r"\b0\.5\b", "0.4"),
    (r" < ", " <= "),
    (r" > ", " >= "),
    (r" <= ", " < "),
    (r" >= ", " > "),
    (r" != ", " == "),
    (r" is None", " is not None"),
    (r"_prev\b", "_t"),
    (r"_t\b", "_prev"),
    (r"\bi_t\b", "f_t"),
    (r"reversed\((.*)\)\):", r"\1):"),
    (r"axis=-1", "axis=0"),
    (r"axis=0", "axis=-1"),
    (r"\bmax\b", "min"),
    (r", keepdims=True", ""),
    (r" \+= ", " = "),
    (r" -= ", " += "),
    (r"^(\s+)(\S.* = .*)$", r"\1pass"),
]


def code_lines(source):
    """(number, line) of the lines inside functions, without docstrings, comments, imports and error messages."""
    in_docstring = False
    for number, line in enumerate(source.split("\n")):
        quotes = line.count('"""')
        if quotes == 1:
            in_docstring = not in_docstring
        elif (
            not quotes
            and not in_docstring
            and line.startswith("    ")
            and not re.search(r"^\s*(#|raise|f?\"|import)", line)
        ):
            yield number, line


def mutants(source):
    """Every (line's number, old line, new source) that one rule makes and that Python can compile."""
    lines = source.split("\n")
    for number, line in code_lines(source):
        code = line.split("  #")[0]
        for changed in dict.fromkeys(re.sub(old, new, code, count=1) for old, new in RULES):
            mutated = "\n".join([*lines[:number], changed, *lines[number + 1 :]])
            if changed != code and compiles(mutated):
                yield number, line, mutated


def compiles(source):
    """Whether a source is Python."""
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def survives(folder, module):
    """Whether the module's tests pass."""
    tests = [str(Path("tests") / name) for name in TESTS.get(module, [f"test_{module}.py"])]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        return (
            subprocess.run(command, cwd=folder, capture_output=True, env=environment, timeout=TIMEOUT).returncode == 0
        )
    except subprocess.TimeoutExpired:
        return False


def test_module(folder, module):
    """(how many mutants, how many survived) of one module, which is restored afterwards."""
    path = folder / "numpylm" / f"{module}.py"
    source, count, survivors = path.read_text(encoding="utf-8"), 0, 0
    if not survives(folder, module):
        raise RuntimeError(f"the tests of {module} fail before anything is changed")
    for number, line, mutated in mutants(source):
        path.write_text(mutated, encoding="utf-8")
        count += 1
        if survives(folder, module):
            survivors += 1
            changed = mutated.split("\n")[number].strip()
            print(f"  survives: {module}.py:{number + 1}: {line.strip()}\n        as: {changed}", flush=True)
    path.write_text(source, encoding="utf-8")
    return count, survivors


def main(modules):
    """Prints a line for each module, and the total."""
    total, survived = 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("numpylm", "tests"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        for module in modules:
            count, survivors = test_module(folder, module)
            total, survived = total + count, survived + survivors
            print(f"{module:<14}{count:>5} mutants{survivors:>4} survive", flush=True)
    print(f"{'all':<14}{total:>5} mutants{survived:>4} survive: {100 * (1 - survived / total):.1f} % killed")


if __name__ == "__main__":
    main(sys.argv[1:] or MODULES)
