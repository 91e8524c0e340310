"""The notebooks in a real browser: every picture loads, and JupyterLab opens a notebook without changing it."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from browser import serving
from notebook_checks import ROOT

nbformat = pytest.importorskip("nbformat", reason="Jupyter is not installed: see requirements.txt")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LOADED = "images => images.every(image => image.complete && image.naturalWidth)"
BROKEN = "images => images.filter(image => !image.naturalWidth).map(image => image.src.slice(0, 90))"


@pytest.fixture
def folder(tmp_path):
    """A folder that looks like the repository's, with figures/ and an empty notebooks/."""
    shutil.copytree(ROOT / "figures", tmp_path / "figures")  # Jupyter follows no link out of its folder
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def test_every_picture_of_every_notebook_loads(visit, folder):
    """Their cells as HTML, in the folder notebooks/ below a server of the repository's folder."""
    pictures = {path.name: list(pictures_of(path)) for path in NOTEBOOKS}
    assert all(pictures.values()) and len(pictures) >= 17
    (folder / "notebooks" / "all.html").write_text("".join(map("".join, pictures.values())), encoding="utf-8")
    with serving(folder) as address:
        page = visit(f"{address}/notebooks/all.html").page
        assert page.locator("img").count() >= sum(map(len, pictures.values()))
        assert page.eval_on_selector_all("img", BROKEN) == []


def pictures_of(path):
    """HTML of a notebook's text cells and outputs that hold pictures."""
    markdown = pytest.importorskip("nbconvert.filters").markdown2html
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown" and ("![" in cell.source or "<img" in cell.source):
            yield markdown(cell.source)
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield f'<img src="data:image/png;base64,{output.data["image/png"]}">'


def test_jupyterlab_shows_the_picture_and_opening_changes_nothing(visit, folder):
    """JupyterLab, started as notebooks/README.md says; a kernel of this Python tells it its language_info."""
    original = next(path for path in NOTEBOOKS if path.name.startswith("06"))
    copy = shutil.copy(original, folder / "notebooks")
    notebook = nbformat.read(copy, as_version=4)
    notebook.metadata["language_info"]["version"] = ".".join(map(str, sys.version_info[:3]))
    nbformat.write(notebook, copy)
    with jupyterlab(folder) as address:
        page = visit(f"{address}lab/tree/notebooks/{original.name}").page
        page.wait_for_selector(".jp-Notebook img", timeout=40_000)
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=40_000)
        page.wait_for_function(f"({LOADED})([...document.querySelectorAll('.jp-Notebook img')])")
        assert page.locator(".lm-TabBar-tab.jp-mod-current").count() and page.locator(".jp-mod-dirty").count() == 0


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
