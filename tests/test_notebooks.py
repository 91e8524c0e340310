"""The notebooks keep to their form, and what they say of the package is true: see notebook_checks.py.

That they run is the business of notebooks/run.py --check, which the gate calls; here it is tried on small bad ones.
JupyterLab opens one of them, and shows every picture of all.
"""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import chain

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
def test_a_notebook_keeps_to_its_form_and_opening_it_does_not_change_it(path):
    assert complaints(path) == []
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


IN_TEXT = {  # what is added to a text cell, and the complaint
    "take `nlm.LSTMML`": "there is no nlm.LSTMML",
    "see `numpylm/rmm.py`": "there is no file numpylm/rmm.py",
    "run `python -m numpylm trian`": "there is no command trian",
    "the function `lstm_stop_backward`": "there is no function lstm_stop_backward",
    "![a](../figures/none.png)": "leads nowhere: ../figures/none.png",
    "in /home/somebody/numpylm": "an absolute path: /home/s",
    "text\n$$x = 1$$": "blank line before and after",
    "the state $ h_t$ costs 5 $": "a $ that is no pair",
    "| $|x|$ | norm |": "| in a table's formula",
    "with $W_{xh$": "braces that do not pair",
}
TEMPORARY = "/".join(["", "tmp", "x"])  # no file has such a path as it is, this one included
IN_CODE = {
    "numpylm.rnn.rnn_stop": "there is no numpylm.rnn.rnn_stop",
    "def rnn_step(x):\n    return x": "defines rnn_step, which the package has",
    "x = 1\n" * 16: "at most 15",
    f"x = '{'x' * 99}'": "at most 100",
    f"open('{TEMPORARY}')": f"an absolute path: {TEMPORARY}",
}
OUTPUTS = [
    ({"output_type": "error", "ename": "ValueError", "evalue": "no"}, "a stored error: ValueError: no"),
    ({"output_type": "stream", "name": "stderr", "text": "Warning!"}, "a stored warning: Warning!"),
    ({"output_type": "stream", "name": "stdout", "text": "/home/me/x"}, "an absolute path in the output: /home/m"),
]
IN_SHAPE = (
    "14 cells; 15 to 25 are right", 'first line must be "# 6. Step an RNN"', "must have **You need**",
    "there is no ## Exercises", "must have **Next:** [7. Backpropagate through time]", "at most 300000",
    "not run from top to bottom", "shows a line that is not in numpylm/rnn.py: 'h_t = g(a_t)  # (1)'",
)  # fmt: skip
SOURCE, TEXT, CODE = 4, 6, 7  # cells of notebook 6


def test_what_is_wrong_is_found(tmp_path):
    """Notebook 6 with everything wrong at once."""
    notebook = nbformat.read(STEP, as_version=4)
    cells = notebook.cells
    cells[TEXT].source += "\n\n" + "\n\n".join(IN_TEXT)
    cells[CODE].source += "\n" + "\n".join(IN_CODE)
    cells[CODE].outputs = [nbformat.v4.new_output(**fields) for fields, _ in OUTPUTS]
    cells[CODE].execution_count = 9
    (shown,) = cells[SOURCE].outputs
    shown["data"]["text/plain"] = shown["data"]["text/plain"].replace("h_t = f(a_t)", "h_t = g(a_t)")
    cells[0].source, cells[1].source = "# 6. An RNN", "**You will do**, **You will learn**" + "x" * 300_000
    notebook.cells = cells[:14]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / STEP.name)
    found = "\n".join(complaints(tmp_path / "notebooks" / STEP.name))
    for complaint in (*IN_TEXT.values(), *IN_CODE.values(), *[text for _, text in OUTPUTS], *IN_SHAPE):
        assert complaint in found


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
    first, *_, last = sorted(printed)  # two run at a time, and either may end first
    assert first == "01_error.ipynb, cell 2, line 3: ValueError: no"
    assert last == "02_solution.ipynb, cell 4: the solution: not right yet: an assertion failed"


def test_a_run_keeps_outputs_always_the_same(tmp_path):
    path = write_notebook(tmp_path / "01_a.ipynb", "# text", "print(6 * 7)")
    status, (printed,) = run(path)
    assert status == 0 and re.fullmatch(r"01_a\.ipynb: \d+\.\d s", printed)
    notebook = json.loads(path.read_bytes())
    outputs = [{"name": "stdout", "output_type": "stream", "text": ["42\n"]}]
    assert notebook["cells"][1].pop("id") == "cell-1"
    assert notebook["cells"][1] == {
        "cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": outputs, "source": ["print(6 * 7)"],
    }  # fmt: skip
    assert_as_jupyterlab_writes(notebook["metadata"])


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


SHOWN = "images => images.every(image => image.complete && image.naturalWidth)"
BROKEN = """async addresses => {
    const tried = addresses.map(address => {
        const image = new Image();
        image.src = address;
        return image.decode().then(() => null, () => address.slice(0, 90));
    });
    return (await Promise.all(tried)).filter(Boolean);
}"""


def test_jupyterlab_shows_every_picture_and_opening_changes_nothing(visit, tmp_path):
    """JupyterLab, started as notebooks/README.md says; a kernel of this Python tells it its language_info."""
    shutil.copytree(ROOT / "figures", tmp_path / "figures")  # Jupyter follows no link out of its folder
    (tmp_path / "notebooks").mkdir()
    copy = shutil.copy(STEP, tmp_path / "notebooks")
    notebook = nbformat.read(copy, as_version=4)
    notebook.metadata["language_info"]["version"] = ".".join(map(str, sys.version_info[:3]))
    nbformat.write(notebook, copy)
    with jupyterlab(tmp_path) as address:
        page = visit(f"{address}lab/tree/notebooks/{STEP.name}").page
        page.wait_for_selector(".jp-Notebook img", timeout=40_000)
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=40_000)
        page.wait_for_function(f"({SHOWN})([...document.querySelectorAll('.jp-Notebook img')])")
        assert page.locator(".lm-TabBar-tab.jp-mod-current").count() and page.locator(".jp-mod-dirty").count() == 0
        pictures = {path.name: list(pictures_of(path, f"{address}files/notebooks/")) for path in NOTEBOOKS}
        assert all(pictures.values()) and len(pictures) >= 17
        assert page.evaluate(BROKEN, list(chain.from_iterable(pictures.values()))) == []


def pictures_of(path, folder):
    """The addresses of a notebook's pictures, in its text cells and its outputs; folder is that of the notebooks."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            yield from (folder + target for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", cell.source))
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield f"data:image/png;base64,{output.data['image/png']}"


@contextmanager
def jupyterlab(folder):
    """The address of JupyterLab in a folder, with settings of its own; it ends with the block."""
    runtime = folder / "runtime"
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_RUNTIME_DIR": str(runtime)}
    environment |= {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port_retries=50"]
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(
            [*command, "--IdentityProvider.token="], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        for _ in range(1200):  # two minutes, on a busy machine
            found = [json.loads(path.read_text()) for path in runtime.glob("jpserver-*.json") if path.stat().st_size]
            if found or server.poll() is not None:
                break
            time.sleep(0.1)
        assert found, (folder / "log").read_text()
        yield found[0]["url"]
    finally:
        server.terminate()
        server.wait(20)
