"""One forward and backward pass as a page for a browser: one file, which asks no network for anything.

The parts lie in page/. The data goes in as JSON in ASCII, in which no token can end the script's element; page.js
shows every text as text, never as HTML.
"""

import html
import json
import re
from importlib.resources import files

import numpy as np

from numpylm.data.atomic import replacing
from numpylm.data.printable import visible
from numpylm.stepping.diagrams import WORDS, svg
from numpylm.stepping.page_data import page_data

LONGEST_NAME = 12  # characters of a token that are shown
TITLES = {"rnn": "An RNN, step by step", "lstm": "An LSTM, step by step", "gru": "A GRU, step by step"}


def page(model, tokens, names, layer, origin, at=None):
    """The page's HTML, for the arguments of page_data; names are the vocabulary's tokens as they are."""
    data = page_data(model, np.asarray(tokens), [readable(name) for name in names], layer, origin, at)
    data["words"] = WORDS
    parts = {
        "title": html.escape(TITLES[model.cell.name]),
        "diagram": svg(model.cell.name),
        "trace": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
    }
    folder = files("numpylm.stepping") / "page"
    for name in ("style.css", "model.js", "page.js"):
        parts[name] = (folder / name).read_text(encoding="utf-8")
    template = (folder / "page.html").read_text(encoding="utf-8")
    return re.sub(r"@([\w.]+)@", lambda found: parts[found[1]], template)


def readable(token):
    """A token on one line: control characters and spaces written out, and long ones cut."""
    text = visible(token)
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"


def write_page(path, text):
    """Write the page whole or not at all."""
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


class ShownTrace:
    """A page that Jupyter shows in its cell's output."""

    def __init__(self, text, height):
        self.text, self.height = text, height

    def __repr__(self):
        return f"<a page of {len(self.text) // 1000} kB; a notebook shows it>"

    def _repr_html_(self):
        source = html.escape(self.text, quote=True)
        return (
            f'<iframe title="One pass, step by step" sandbox="allow-scripts" srcdoc="{source}" '
            f'style="width: 100%; height: {self.height}px; border: 0"></iframe>'
        )


def show_trace(model, tokens, names=None, layer=None, at=None, height=900):
    """One pass of a language model over a few tokens, as a page within a notebook.

    tokens   (T + 1,) integers: T to read and T to predict, T at most 60
    names    what to call the V tokens of the vocabulary: a Vocabulary or a list (their numbers)
    layer    which layer to show (the last); at: the step to open at; height in pixels
    """
    tokens = checked_tokens(tokens, model.sizes.vocab_size)
    names = getattr(names, "tokens", names) or [str(v) for v in range(model.sizes.vocab_size)]
    layer = model.sizes.num_layers - 1 if layer is None else layer
    origin = f"{type(model).__name__ if not hasattr(model, 'cell') else model.cell.name.upper()} of {model.sizes.hidden_dim} units"
    return ShownTrace(page(model.astype(np.float64), tokens, names, layer, origin, at), height)
