"""Draws figures/step_page.png: the page of `python -m numpylm step --html`, in a browser without a window.

    python benchmarks/draw_page.py

It needs Chromium, and Playwright (requirements-dev.txt). The picture depends on the fonts of the machine.
"""

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from numpylm.commands.cli import main

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from browser import launched  # noqa: E402

SIZE = {"width": 1280, "height": 1232}
COLOURS = 128  # in the picture, so that it stays small
PLACE = "go({direction: 'backward', t: 9, row: rowOf('backward', 'dc_t'), unit: 1})"


def draw(target):
    """Write the page, open it in the backward pass, where two gradients meet in dc_t, and keep a picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        main(["step", "--html", str(path)])
        browser = launched(playwright)
        page = browser.new_page(viewport=SIZE)
        page.goto(path.as_uri())
        page.evaluate(PLACE)
        picture = page.screenshot()
        browser.close()
    Image.open(BytesIO(picture)).quantize(COLOURS).save(target, optimize=True)
    print(f"{target.relative_to(ROOT)}  {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    draw(ROOT / "figures" / "step_page.png")
