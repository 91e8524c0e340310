"""The notebooks in a real browser: every picture loads."""

import pytest
from browser import serving
from notebook_checks import ROOT

nbformat = pytest.importorskip("nbformat", reason="Jupyter is not installed: see requirements.txt")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BROKEN = "images => images.filter(image => !image.naturalWidth).map(image => image.src.slice(0, 90))"


def test_every_picture_of_every_notebook_loads(visit, tmp_path):
    """Their cells as HTML, in the folder notebooks/ below a server of the repository's folder."""
    pictures = {path.name: list(pictures_of(path)) for path in NOTEBOOKS}
    assert all(pictures.values()) and len(pictures) >= 17
    (tmp_path / "figures").symlink_to(ROOT / "figures")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "all.html").write_text("".join(map("".join, pictures.values())), encoding="utf-8")
    with serving(tmp_path) as address:
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
