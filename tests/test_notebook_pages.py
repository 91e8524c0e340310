"""The notebooks in a real browser: JupyterLab opens one without changing it, and every picture of all of them loads."""

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
from notebook_checks import ROOT

nbformat = pytest.importorskip("nbformat", reason="Jupyter is not installed: see requirements.txt")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
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
    original = next(path for path in NOTEBOOKS if path.name.startswith("06"))
    copy = shutil.copy(original, tmp_path / "notebooks")
    notebook = nbformat.read(copy, as_version=4)
    notebook.metadata["language_info"]["version"] = ".".join(map(str, sys.version_info[:3]))
    nbformat.write(notebook, copy)
    with jupyterlab(tmp_path) as address:
        page = visit(f"{address}lab/tree/notebooks/{original.name}").page
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
