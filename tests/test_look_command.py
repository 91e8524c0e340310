"""look: its tables and pictures on the grammar and on texts, side by side, and what it refuses or notes."""

import json

import numpy as np
import pytest
from processes import run_numpylm
from run_examples import make_runs

import numpylm as nlm
from numpylm.data.grammar import generate_text
from numpylm.translation import EncoderDecoder

TEXT = "the farmers near the zebra dance .\nthe king sleeps .\n"
PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """words/ and chars/, which lack words of the grammar, and checkpoints: three cells of the grammar, and bad ones."""
    folder = make_runs(tmp_path_factory.mktemp("look"))
    vocabulary = nlm.build_vocabulary(generate_text(20_000, 1), "word")
    V = len(vocabulary)
    models = {
        "lstm": nlm.LSTMLM(V, 6, 8), "rnn": nlm.RNNLM(V, 6, 12), "gru": nlm.GRULM(V, 6, 9, num_layers=2),
        "complex": nlm.RNNLM(V, 3, 4, dtype=np.complex128), "broken": nlm.RNNLM(V, 3, 4),
        "huge": nlm.RNNLM(V, 3, 4, nonlinearity="relu"),
    }  # fmt: skip
    models["huge"].parameters()["W_hh"][...] = 1e30
    models["broken"].parameters()["b_h"][...] = np.nan
    for name, model in models.items():
        nlm.save_checkpoint(folder / f"{name}.npz", model, vocabulary)
    nlm.save_checkpoint(folder / "abc.npz", nlm.LSTMLM(4, 2, 3), nlm.build_vocabulary("abc", "char"))
    pairs = nlm.build_vocabulary("a b", "word")
    nlm.save_checkpoint(folder / "other.npz", EncoderDecoder(4, 4, 2, 4), {"source": pairs, "target": pairs})
    (folder / "mine.txt").write_text(TEXT)
    (folder / "word.txt").write_text("king")
    (folder / "empty.txt").write_text(" \n")
    return folder


@pytest.fixture(autouse=True)
def short_context(monkeypatch):
    """Few sentences before each one that is measured: they are read again for every change."""
    monkeypatch.setattr("numpylm.probing.sentences.CONTEXT", 2)


def test_runs_stand_side_by_side_with_a_picture_in_60_columns(call, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    status, out, err = call("look", "lstm.npz", "rnn.npz", "gru.npz", "--sentences", "100", "--out", "new/pictures")
    assert (status, err) == (0, "") and max(map(len, out.splitlines())) <= 60
    assert (folder / "new" / "pictures" / "look.png").read_bytes().startswith(PNG)
    lines = out.splitlines()
    assert [line for line in lines if ".npz" in line] == [
        "LSTM, H = 8: lstm.npz", "RNN, H = 12: rnn.npz", "GRU, H = 9: gru.npz"
    ]  # fmt: skip
    for beginning in ("number ", "quoted ", "as trained ", "leave one out ", "nearest noun"):
        assert sum(line.startswith(beginning) for line in lines) == 3, beginning
    assert sum("forget path cut" in line for line in lines) == 2, "of one and of four units, in the LSTM alone"
    assert lines[-4].startswith("LSTM, H = 8") and lines[-2].startswith("GRU, H = 9") and "1.h" in out


def test_the_numbers_as_json_are_those_that_are_printed_and_the_same_again(call, folder):
    status, out, err = call("look", "lstm.npz", "--sentences", "100", "--json", "--out", "nothing")
    assert (status, err) == (0, "") and not (folder / "nothing").exists(), "JSON alone, no picture"
    assert call("look", "lstm.npz", "--json", "--sentences", "100")[1] == out
    (result,) = json.loads(out)["runs"]
    assert (result["run"], result["cell"], result["hidden_dim"]) == ("lstm.npz", "lstm", 8)
    number, right = result["properties"]["number"], result["ablation"]["as_trained"]
    printed = call("look", "lstm.npz", "--sentences", "100", "--out", folder)[1]
    assert f"number  {number['unit']:<5}{number['auc']:5.2f}{number['untrained_auc']:10.2f}" in printed
    assert f"as trained{100 * right['by_distance'][0]:23.0f}" in printed
    assert result["ablation"]["single"].keys() == {f"c{k}" for k in range(8)}


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_text_shows_surprisals_and_where_a_unit_is_most_active(call, folder, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    status, out, err = call("look", "lstm.npz", "mine.txt", "--unit", "c3")
    assert status == 0 and err == "note: the model does not know 'zebra' and reads <unk> there\n"
    assert max(map(len, out.splitlines())) <= columns
    assert (folder / "look.html").stat().st_size > 50_000 and "look.html" in out.splitlines()[-1]
    model, vocabulary, _ = nlm.load_checkpoint(folder / "lstm.npz")
    tokens = nlm.encode_stream(vocabulary, TEXT)
    assert f"13 tokens predicted, perplexity {nlm.perplexity(model, tokens):.2f}" in out
    nats = nlm.surprisals(model, tokens)
    most = int(nats.argmax())
    rows = out.split("The most surprising tokens, in nats\n")[1].splitlines()
    assert rows[0].split()[0] == f"{nats[most]:.3f}" and rows[0].endswith(f"[{vocabulary.tokens[tokens[most + 1]]}]")
    c = [model.forward(tokens[: k + 1, None]).state[0].c[0, 3] for k in range(len(tokens))]
    place = int(np.argmax(c))
    row = out.split("Where unit c3 is highest\n")[1].splitlines()[0]
    *before, token = [vocabulary.tokens[k] for k in tokens[max(0, place - 6) : place + 1]]
    assert row.split()[0] == f"{c[place]:.3f}" and row.endswith(f" [{token}]")
    assert row[10:] == " ".join([*before, f"[{token}]"])


def test_a_text_from_standard_input_as_a_process(folder):
    status, out, err = run_numpylm("look", "chars", "-", "--json", folder=folder, stdin=b"the king sleeps .")
    assert status == 0 and err == ""
    text = json.loads(out)["runs"][0]["text"]
    assert "".join(text["tokens"]) == "\nthe king sleeps .\n" and len(text["surprisals"]) == len(text["values"]) == 19


def test_only_the_beginning_of_a_long_text_is_read_and_a_short_one_suffices(call, folder, monkeypatch):
    monkeypatch.setattr("numpylm.commands.look.MOST_STEPS", 4)  # of the page
    status, out, err = call("look", "words", "text.txt")
    assert status == 0 and err.startswith("note: only the first 2,000 of ") and "\n1,999 tokens predicted" in out
    assert '"T": 4,' in (folder / "words" / "look.html").read_text(encoding="utf-8"), "the page has fewer"
    status, out, err = call("look", "words", "word.txt")
    assert status == 0 and "2 tokens predicted" in out and "[king]" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "the following arguments are required: RUN"),
        ("nowhere", "there is no run or checkpoint nowhere"),
        ("lstm.npz nowhere", "there is no run or checkpoint nowhere"),
        ("mine.txt", "mine.txt: it is not a numpylm file"),
        ("-", "name a run before the text: look RUN TEXT"),
        ("mine.txt lstm.npz", "mine.txt: it is not a numpylm file"),
        ("other.npz", "other.npz holds a run of `translate`: use it with `translate other.npz`"),
        ("complex.npz", "complex.npz holds a model of complex128; this command needs real numbers"),
        ("broken.npz", "the model's states are not finite on what it reads: has its training diverged?"),
        ("huge.npz", "the model's states are not finite on what it reads: has its training diverged?"),
        ("lstm.npz empty.txt", "the text has 1 tokens, where two are needed"),
        ("abc.npz one.txt", "the text has 1 tokens, where two are needed"),
        ("lstm.npz word.txt --unit c8", "--unit must be one of h0 … c7; got 'c8'"),
        ("gru.npz word.txt --unit h3", "--unit must be one of 0.h0 … 1.h8; got 'h3'"),
        ("lstm.npz --unit c3", "--unit shows a unit on a text: name the text after the run"),
        ("lstm.npz --sentences 5", "--sentences must lie in 100..100000: fewer measure nothing; got 5"),
        ("lstm.npz --sentences 1000000000", "--sentences must lie in 100..100000"),
        ("lstm.npz word.txt --out mine.txt", "mine.txt is no folder; name a folder for the picture or page (--out)"),
        ("abc.npz", "abc.npz is no model of the built-in grammar's words: name a text, look RUN TEXT"),
    ],
)
def test_it_refuses_in_one_line(call, folder, arguments, message):
    (folder / "one.txt").write_text("a")
    assert message in call("look", *arguments.split()).refused()


def test_without_matplotlib_the_tables_are_printed_and_the_picture_is_not(call, folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    status, out, err = call("look", "lstm.npz", "--sentences", "100", "--out", "bare")
    assert status == 0 and "as trained" in out and "no look.png: matplotlib is not installed" in err
