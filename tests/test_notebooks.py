"""The notebooks keep to their form, and what they say of the package is true: see notebook_checks.py.

That they run is the business of notebooks/run.py --check, which the gate calls; here it is tried on small bad ones.
"""

import importlib
import json
import os
import re
import subprocess
import sys

import pytest
from notebook_checks import (
    ROOT,
    complaints,
    index_rows,
    unknown_functions,
    unknown_names,
    wrong_code,
    wrong_links,
    wrong_mathematics,
)

nbformat = pytest.importorskip("nbformat", reason="Jupyter is not installed: see requirements.txt")
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
STEP = FOLDER / "06_step_an_rnn.ipynb"
LANGUAGE_INFO = {"codemirror_mode", "file_extension", "mimetype", "name", "nbconvert_exporter", "pygments_lexer"}
LANGUAGE_INFO |= {"version"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_to_its_form(path):
    assert complaints(path) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_the_metadata_that_jupyterlab_writes(path):
    """So opening a notebook does not change it."""
    assert_as_jupyterlab_writes(nbformat.read(path, as_version=4).metadata)


def assert_as_jupyterlab_writes(metadata):
    assert metadata.keys() == {"kernelspec", "language_info"}
    assert metadata["kernelspec"] == {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert metadata["language_info"].keys() == LANGUAGE_INFO


def test_the_index_lists_the_notebooks_in_order():
    numbers, _, names = zip(*index_rows(), strict=True)
    assert numbers == tuple(range(1, 21))
    assert [int(name[:2]) for name in names] == list(numbers)
    assert sorted(names) == [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("name", ["README.md", "GLOSSARY.md"])
def test_index_and_glossary_are_true(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    found = [*wrong_mathematics(text), *wrong_links(text, FOLDER), *unknown_names(text), *unknown_functions(text)]
    assert found == []


def test_the_glossary_names_what_the_code_has():
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", (FOLDER / "GLOSSARY.md").read_text("utf-8")))))
    sources = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "numpylm").rglob("*.py"))
    assert len(named) > 80
    assert named - {"0", "5", "nlm", "q", "_backward", "_forward"} - set(re.findall(r"\w+", sources)) == set()


@pytest.fixture
def bad(tmp_path):
    """complaints about notebook 6 after a change of one of its cells, or of the whole (None)."""

    def complaints_after(number, change):
        notebook = nbformat.read(STEP, as_version=4)
        change(notebook if number is None else notebook.cells[number])
        (tmp_path / "notebooks").mkdir()
        for name in ("figures", "numpylm"):
            (tmp_path / name).symlink_to(ROOT / name)
        path = tmp_path / "notebooks" / STEP.name
        nbformat.write(notebook, path)
        return "\n".join(complaints(path))

    return complaints_after


def put(source):
    return lambda cell: cell.update(source=source)


def more(source):
    return lambda cell: cell.update(source=cell.source + source)


def output(**fields):
    return lambda cell: cell.update(outputs=[nbformat.v4.new_output(**fields)])


TEXT, CODE, SOURCE = 6, 7, 4  # cells of notebook 6
BAD = [
    (TEXT, more("\n\ntake `nlm.LSTMML`"), "there is no nlm.LSTMML"),
    (TEXT, more("\n\nsee `numpylm/rmm.py`"), "there is no file numpylm/rmm.py"),
    (TEXT, more("\n\nrun `python -m numpylm trian`"), "there is no command trian"),
    (TEXT, more("\n\n![a](../figures/none.png)"), "leads nowhere: ../figures/none.png"),
    (TEXT, more("\n\nin /home/somebody/numpylm"), "an absolute path: /home/s"),
    (TEXT, more("\ntext\n$$x = 1$$"), "blank line before and after"),
    (TEXT, more("\n\n$$x = 1"), "odd number of $$"),
    (TEXT, more("\n\nthe state $ h_t$ costs 5 $"), "a $ that is no pair"),
    (TEXT, more("\n\n| $|x|$ | norm |"), "| in a table's formula"),
    (TEXT, more("\n\nwith $W_{xh$"), "braces that do not pair"),
    (CODE, more("\nfrom numpylm.rnn import rnn_stop"), "there is no numpylm.rnn.rnn_stop"),
    (CODE, more("\n\n\ndef rnn_step(x):\n    return x"), "defines rnn_step, which the package has"),
    (CODE, lambda cell: cell.update(execution_count=9), "not run from top to bottom"),
    (
        CODE,
        output(output_type="error", ename="ValueError", evalue="no", traceback=[]),
        "a stored error: ValueError: no",
    ),
    (CODE, output(output_type="stream", name="stderr", text="Warning!"), "a stored warning: Warning!"),
    (None, lambda notebook: notebook.update(cells=notebook.cells[:14]), "14 cells; 15 to 25 are right"),
    (0, put("# 6. An RNN"), 'first line must be "# 6. Step an RNN"'),
    (1, put("**You will do**, **You will learn**"), "must have **You need**"),
    (-1, put("## In practice"), "must have **Next:** [7. Backpropagate through time]"),
    (-1, more("x" * 300_000), "at most 300000"),
]


@pytest.mark.parametrize(("number", "change", "complaint"), BAD)
def test_what_is_wrong_is_found(bad, number, change, complaint):
    assert complaint in bad(number, change)


def test_source_that_is_shown_must_be_the_packages(bad):
    def change(cell):
        (shown,) = cell.outputs
        shown["data"]["text/plain"] = shown["data"]["text/plain"].replace("h_t = f(a_t)", "h_t = g(a_t)")

    assert "shows a line that is not in numpylm/rnn.py: 'h_t = g(a_t)  # (1)'" in bad(SOURCE, change)


def write_notebook(path, *cells):
    notebook = nbformat.v4.new_notebook()
    for cell in cells:
        new = nbformat.v4.new_markdown_cell if cell.startswith("#") else nbformat.v4.new_code_cell
        notebook.cells.append(new(cell, id=f"cell-{len(notebook.cells)}"))
    nbformat.write(notebook, path)
    return path


def run(*arguments):
    """notebooks/run.py: (exit status, the lines it printed, sorted)."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(FOLDER / "run.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    return done.returncode, sorted(done.stdout.splitlines())


EXERCISE = "from numpylm.notebook import attempt\ndef f(): raise NotImplementedError\n@attempt\ndef test(): assert f()"
SOLUTION = "#\n<details><summary>Solution</summary>\n\n```python\ndef f():\n    return {}\n```\n\n</details>"


def test_a_failure_is_told_with_its_place(tmp_path):
    bad = {
        "01_error.ipynb": ["# text", "x = 1\n\nraise ValueError('no\\nmore')"],
        "02_solution.ipynb": [EXERCISE, SOLUTION.format(1), EXERCISE, SOLUTION.format(0)],
    }
    status, printed = run("--check", *[write_notebook(tmp_path / name, *cells) for name, cells in bad.items()])
    assert status == 1
    assert printed[0] == "01_error.ipynb, cell 2, line 3: ValueError: no"
    assert printed[-1] == "02_solution.ipynb, cell 4: the solution: not right yet: an assertion failed"


def test_a_run_keeps_outputs_always_the_same(tmp_path):
    paths = [write_notebook(tmp_path / name, "# text", "print(6 * 7)") for name in ("01_a.ipynb", "02_b.ipynb")]
    status, printed = run(*paths)
    assert status == 0
    assert re.fullmatch(r"01_a\.ipynb: \d+\.\d s", printed[0])
    first, second = [path.read_bytes() for path in paths]
    assert first == second
    code = json.loads(first)["cells"][1]
    assert (code["execution_count"], code["outputs"][0]["text"], code["metadata"]) == (1, ["42\n"], {})
    assert_as_jupyterlab_writes(json.loads(first)["metadata"])


def test_only_with_an_address_a_notebook_installs_the_package(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(FOLDER)
    with_installer = importlib.import_module("run").with_installer
    cells = nbformat.read(write_notebook(tmp_path / "01_a.ipynb", "# text", "print(1)", "print(2)"), 4).cells
    assert with_installer(cells, "") == cells
    added = with_installer(cells, "https://example.org/numpylm")
    assert [cell.get("id") for cell in added] == ["cell-0", "install", "cell-1", "cell-2"]
    assert '"git+https://example.org/numpylm"' in added[1].source
    assert list(wrong_code(added[1].source)) == []
    exec(added[1].source, {})  # the package is there: nothing is installed
    other = with_installer(added, "https://example.org/other")
    assert "example.org/other" in other[1].source and len(other) == 4
    assert with_installer(other, "") == cells
