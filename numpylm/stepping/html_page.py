"""One forward and backward pass as a page for a browser: one file, which asks no network for anything.

The parts lie in page/. The data goes in as JSON in ASCII, in which no token can end the script's element; page.js
shows every text as text, never as HTML.
"""

import html
import json
import re
from importlib.resources import files

import numpy as np

from numpylm.base import require
from numpylm.data.printable import printable, visible
from numpylm.stepping.page_data import described, page_data
from numpylm.stepping.walk import chosen

MOST_STEPS = 60
LONGEST_NAME = 12  # characters of a token that are shown


def page(model, tokens, names, layer, origin, at=None):
    """The page's HTML, for the arguments of page_data; names are the vocabulary's tokens as they are, and origin says
    what the model is."""
    data = page_data(model, np.asarray(tokens).astype(int), [readable(name) for name in names], layer, at)
    cell = model.cell.name
    parts = {
        "title": f"{'A' if cell == 'gru' else 'An'} {cell.upper()}, step by step",
        "origin": html.escape(printable(f"{origin}. {described(data)}")),
        "knob": {"rnn": "b_h", "lstm": "b_f", "gru": "b_z"}[cell],
        "state": "c_t" if cell == "lstm" else "h_t",
        "diagram": file(f"{cell}.svg"),
        "trace": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
    }
    return re.sub(r"@([\w.]+)@", lambda found: parts.get(found[1]) or file(found[1]), file("page.html"))


def file(name):
    """The text of a file of page/."""
    return (files("numpylm.stepping") / "page" / name).read_text(encoding="utf-8")


def readable(token):
    """A token on one line: a space as ␣, a line's end as ⏎, control characters written out, and long ones cut."""
    text = {" ": "␣", "\n": "⏎"}.get(token) or visible(token)
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"


def show_trace(model, tokens, names=None, layer=None, at=None, height=900):
    """One pass of a language model over a few tokens, step by step: a page, which a notebook shows below its cell.

    tokens   (T + 1,) integers in 0..V-1: the first T are read, the last T predicted; T is 1 to 60
    names    the Vocabulary, or a list of V strings (default: the tokens' numbers)
    layer    which layer to show (default: the last); height: in pixels
    at       the step to open the page at, which is the one whose gradients are proved if the model is large
    Raises ValueError for tokens, a layer or a step that do not fit.
    """
    from IPython.display import HTML

    V = require.language_model(model).sizes.vocab_size
    tokens = require.token_stream(tokens, V)
    if not 2 <= len(tokens) <= MOST_STEPS + 1:
        raise ValueError(f"tokens must be a row of 2 to {MOST_STEPS + 1}: T to read and one more; got {len(tokens)}")
    names = list(map(str, range(V) if names is None else require.sequence("names", getattr(names, "tokens", names))))
    require.expect("names", len(names), len(names) == V, f"V = {V} strings, one for each token")
    layer = chosen("layer", layer, model.sizes.num_layers)[-1]
    chosen("at", at, len(tokens) - 1)
    require.positive_integer("height", height)
    origin = f"{model.cell.name.upper()} with the weights that it has now"
    source = html.escape(page(model.astype(np.float64), tokens, names, layer, origin, at), quote=True)
    frame = f'<iframe title="One pass, step by step" sandbox="allow-scripts" srcdoc="{source}"'
    return HTML(f'<div>{frame} style="width: 100%; height: {height}px; border: 0"></iframe></div>')
