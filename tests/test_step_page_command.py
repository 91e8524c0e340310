"""python -m numpylm step --html and show_trace: what they write and refuse; tokens that would be HTML; large models."""

import errno
import os
import re
from importlib.resources import files

import numpy as np
import pytest
from page_examples import D, H, drawn, page_of
from test_step_command import checkpoints  # noqa: F401 (a fixture)

import numpylm as nlm
from numpylm.stepping import page_data
from numpylm.stepping.html_page import page, readable

TEXT = "she sells sea"
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\u202eabc",
    "\x1b[2J",
    "'\"&`${1}",
    "é",
    "漢字",
    "🙂",
]


def test_hostile_tokens_are_shown_as_text(opened):
    model = drawn(nlm.GRULM(len(HOSTILE), D, H))
    seen = opened(page(model, np.arange(len(HOSTILE)), HOSTILE, 0, "</script><b>run</b>"))
    shown = seen.page.eval_on_selector_all("#text button", "all => all.map(button => button.textContent)")
    assert shown == [readable(token) for token in HOSTILE]
    assert seen.page.inner_text("#origin").startswith("</script><b>run</b>")
    seen.page.evaluate("go({direction: 'loss'})")
    assert seen.page.locator("#text img, #quantity img, #quantity script, #origin b").count() == 0
    assert all(text.isprintable() for text in shown)
    assert seen.errors == seen.requests == []


@pytest.mark.parametrize(
    ("arguments", "title", "said"),
    [
        ("--cell lstm", "An LSTM, step by step", "A small LSTM, its weights drawn with seed 0. T = 19, D = 2"),
        ("--cell rnn --text sea --seed 3", "An RNN, step by step", "seed 3. T = 2"),
        ("--cell gru --text sea", "A GRU, step by step", "A small GRU"),
        ("--run gru.npz --text the --layer 0", "A GRU, step by step", "gru.npz. T = 2"),
        ("--run gru.npz --text the", "A GRU, step by step", "Layer 1 of 0 to 1 is shown"),
        ("--run tied.npz --text the\xa0cat\xa0sat", "An LSTM, step by step", "tied.npz. T = 2"),
        ("--run relu.npz --text the", "An RNN, step by step", "relu.npz"),
    ],
)
def test_the_command_writes_one_small_file(call, tmp_path, checkpoints, visit, arguments, title, said):  # noqa: F811
    path = tmp_path / "page.html"
    words = [word.replace("\xa0", " ") for word in arguments.split(" ")]
    words = [str(checkpoints / word) if word.endswith(".npz") else word for word in words]
    assert call("step", *words, "--html", path)[::2] == (0, "")
    assert path.stat().st_size < 200_000
    seen = visit(path.as_uri())
    assert seen.page.title() == title and said in seen.page.inner_text("#origin")
    assert seen.errors == seen.requests == []


REFUSED = [
    (["--html", "page.txt"], "page.txt must end in .html"),
    (["--html", "there.html"], "there.html exists already; name a new file"),
    (["--html", "no/page.html"], "there is no folder no"),
    (["--html", "new.html", "--pdb"], "a page (--html) has no --pdb: leave it out"),
    (["--html", "new.html", "--attention", "dot"], "a page (--html) has no --attention: leave it out"),
    (["--html", "new.html", "--text", "x"], "--text must have 2 to 61 tokens"),
    (["--html", "new.html", "--text", "ab" * 31], "--text must have 2 to 61 tokens"),
    (["--html", "new.html", "--at", "19"], "--at must lie in 0..18; got 19"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_cannot_be_written_is_one_sentence(call, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.html").write_text("mine")
    status, out, err = call("step", *arguments)
    assert status == 2 and message in err and len(err.strip().splitlines()) == 1 and out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["there.html"] and (
        tmp_path / "there.html"
    ).read_text() == "mine"


def test_a_full_disk_is_one_sentence_and_leaves_no_file(call, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, out, err = call("step", "--text", "ab", "--html", tmp_path / "page.html")
    assert (status, out, len(err.strip().splitlines())) == (2, "", 1)
    assert "page.html: No space left on device" in err and list(tmp_path.iterdir()) == []


def test_a_large_model_proves_one_step_and_has_no_sliders(opened, monkeypatch):
    monkeypatch.setattr(page_data, "MOST_PROVED", 1e6)
    names = [str(v) for v in range(600)]
    model = drawn(nlm.LSTMLM(600, 100, 150), scale=0.1)
    tokens = np.random.default_rng(0).integers(0, 600, 4)
    seen = opened(page(model, tokens, names, 0, "large", at=1))
    assert "too large" in seen.page.inner_text("#changed") and seen.page.locator("#sliders").count() == 0
    said = seen.page.inner_text("#origin")
    assert "proved at t = 1 alone; --at t proves those of one step" in said and "the page has no sliders" in said
    for t, word in ((1, "proved together, along one random direction"), (0, "--at 0 proves this step")):
        seen.page.evaluate(f"go({{direction: 'backward', t: {t}, row: rowOf('backward', 'df_t'), unit: 149}})")
        assert word in seen.page.inner_text("#quantity .note")
    assert seen.errors == []


def test_a_model_without_numbers_gets_one_sentence_and_one_that_is_surprised_a_page(opened):
    model = drawn(nlm.RNNLM(5, D, H))
    model.parameters()["b_y"][:] = (0, 2000, 0, 0, 0)  # y of the others is 0, and their surprisal finite
    assert "bits" in opened(page(model, np.array([1, 2, 3]), "abcde", 0, "sure\udcff")).page.inner_text("#darkest")
    model.parameters()["b_y"][:] = np.nan
    with pytest.raises(ValueError, match="the model's loss on this text is nan"):
        page(model, np.array([1, 2, 3]), "abcde", 0, "nothing")


def test_a_notebook_shows_it(visit, tmp_path):
    pytest.importorskip("IPython", reason="Jupyter is not installed: see requirements.txt")
    vocabulary = nlm.build_vocabulary(TEXT, "char")
    model = nlm.LSTMLM(len(vocabulary), 2, 3)
    shown = nlm.show_trace(model, nlm.encode(vocabulary, TEXT), vocabulary, at=2)
    (tmp_path / "notebook.html").write_text(shown._repr_html_(), encoding="utf-8")
    seen = visit((tmp_path / "notebook.html").as_uri())
    frame = seen.page.frame_locator("iframe")
    assert frame.locator("#where").inner_text() == "Forward, t = 2: reads “e”, is to predict “␣”"
    assert seen.errors == seen.requests == []
    for arguments, message in (([[1]], "2 to 61"), ([[99, 1]], "0..")):
        with pytest.raises(ValueError, match=message):
            nlm.show_trace(model, *arguments)
    for option, message in (
        ({"layer": 1}, r"layer must lie in 0\.\.0"),
        ({"height": "tall"}, "height must be a positive integer"),
        ({"names": ["a"]}, "strings, one for each token; got 1"),
        ({"names": 5}, "names must be a list; got int"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            nlm.show_trace(model, [1, 2], **option)


def test_all_parts_are_small():
    parts = [part for part in (files("numpylm.stepping") / "page").iterdir() if not part.name.endswith(".svg")]
    assert len(parts) == 4
    assert sum(len(part.read_text(encoding="utf-8").splitlines()) for part in parts) <= 600


def test_the_browser_knows_every_declaration_of_the_style(opened):
    """A browser skips what it does not know without a word."""
    style = re.sub(r"/\*.*?\*/", "", (files("numpylm.stepping") / "page" / "style.css").read_text(encoding="utf-8"))
    declarations = re.findall(r"([\w-]+)\s*:\s*([^:;{}]+)(?=[;}])", style)
    page = opened(page_of("lstm")).page
    unknown = "all => all.filter(([name, value]) => !CSS.supports(name, value.replace('!important', '')))"
    assert len(declarations) > 100 and page.evaluate(unknown, declarations) == []
