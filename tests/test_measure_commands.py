"""evaluate and score: their numbers, one rule for line ends, unknown words, and what they refuse."""

import json
import math

import numpy as np
import pytest
from processes import run_numpylm
from run_examples import make_runs

import numpylm as nlm


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = make_runs(tmp_path_factory.mktemp("measure"))
    nlm.save_checkpoint(folder / "abc.npz", nlm.LSTMLM(4, 2, 3), nlm.build_vocabulary("abc", "char"))
    nlm.save_checkpoint(folder / "bare.npz", nlm.LSTMLM(4, 2, 3))
    model, vocabulary, _ = nlm.load_checkpoint(folder / "words" / "best.npz")
    (folder / "copy.npz").write_bytes((folder / "words" / "best.npz").read_bytes())
    model.parameters()["b_y"][5] = np.nan
    nlm.save_checkpoint(folder / "broken.npz", model, vocabulary)
    return folder


# evaluate


def test_evaluate_measures_a_run_on_its_own_test_text_or_another_as_a_process(folder):
    status, out, err = run_numpylm("evaluate", "words", folder=folder)
    assert (status, err) == (0, "")
    assert out.startswith("the test text of text: ") and "0 of them unknown to the model\n" in out
    assert [line.split("  ")[1] for line in out.splitlines()[1:]] == [
        *("perplexity per token", "nats per token", "bits per character", "guessed right")
    ]
    status, out, err = run_numpylm("evaluate", "chars", "-", "--json", folder=folder, stdin="the königs\n".encode())
    assert (status, err) == (0, "")
    assert json.loads(out)["tokens"] == 11 and json.loads(out)["unknown_tokens"] == 1


@pytest.mark.parametrize("run", ["words", "chars"])
def test_evaluate_agrees_with_the_package(call, folder, run):
    model, vocabulary, _ = nlm.load_checkpoint(folder / run / "best.npz")
    content = (folder / "text.txt").read_text(encoding="utf-8")
    nats = nlm.surprisals(model, nlm.encode_stream(vocabulary, content))
    numbers = json.loads(call("evaluate", "--json", run, "text.txt")[1])
    assert numbers["tokens"] == len(nats) and numbers["unknown_tokens"] == 0
    assert numbers["nats_per_token"] == pytest.approx(nats.mean(dtype=float), rel=1e-6)
    assert numbers["perplexity"] == pytest.approx(math.exp(numbers["nats_per_token"]))
    assert numbers["bits_per_character"] == pytest.approx(nats.sum(dtype=float) / math.log(2) / len(content), rel=1e-6)
    assert 0 < numbers["accuracy"] < 1


def test_bits_per_character_are_over_the_characters_that_are_predicted_and_not_defined_with_unknown_ones(call):
    """Without line ends in the vocabulary, a text's first character is only read."""
    numbers = json.loads(call("evaluate", "abc.npz", "-", "--json", stdin=b"abcab")[1])
    assert numbers["tokens"] == 4
    assert numbers["bits_per_character"] == pytest.approx(numbers["nats_per_token"] / math.log(2))
    numbers = json.loads(call("evaluate", "abc.npz", "-", "--json", stdin=b"abzab")[1])
    assert (numbers["unknown_tokens"], numbers["bits_per_character"]) == (1, None)
    assert "not defined" in call("evaluate", "abc.npz", "-", stdin=b"abzab")[1]


def test_evaluate_notes_a_corpus_that_has_changed_and_says_how_to_name_one_that_has_moved(call, folder):
    path = folder / "words" / "config.json"
    before = path.read_text()
    config = json.loads(before)
    path.write_text(json.dumps(config | {"data_sha256": "other"}))
    status, out, err = call("evaluate", "words")
    assert status == 0 and out and err.startswith("note: ") and "is not what it was" in err
    path.write_text(json.dumps(config | {"data": config["data"] | {"corpus": "gone.txt"}}))
    message = call("evaluate", "words").refused()
    path.write_text(before)
    assert "gone.txt" in message and "If the data have moved, name them: evaluate words TEXT" in message


def test_numbers_that_mean_nothing_are_said_with_an_exit_status(call):
    status, out, err = call("evaluate", "broken.npz", "text.txt", "--json")
    assert status == 1 and json.loads(out)["perplexity"] is None
    assert err.startswith("numpylm evaluate: error: the model's loss on text.txt is nan nats")
    status, out, err = call("score", "broken.npz", "--rank", stdin=b"the king\n")
    assert status == 1 and "nan" in out and "no finite score" in err


# score


def test_score_gives_each_line_and_each_token_as_a_process(folder):
    """A blank line has a score too, or rather a dash: three lines, three scores."""
    lines = "the king sleeps .\n\nking the"
    status, out, err = run_numpylm("score", "words", folder=folder, stdin=lines.encode())
    assert (status, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0][1:] == ["the", "king", "sleeps", "."] and rows[3] == ["-"] and rows[4][1:] == ["king", "the"]
    assert rows[1] == ["the", "king", "sleeps", ".", "<eos>"] and rows[5] == ["king", "the", "<eos>"]
    for total, surprisals in ((rows[0][0], rows[2]), (rows[4][0], rows[6])):
        assert float(total) == pytest.approx(-sum(map(float, surprisals)), abs=0.005 * len(surprisals) + 0.001)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
@pytest.mark.parametrize("run", ["words", "chars"])
def test_score_and_evaluate_have_one_rule_for_the_end_of_a_line(call, folder, run, ending):
    model, vocabulary, _ = nlm.load_checkpoint(folder / run / "best.npz")
    nats = nlm.surprisals(model, nlm.encode_stream(vocabulary, "the king\n"))
    stdin = f"the king{ending}".encode()
    assert call("score", run, stdin=stdin)[1].splitlines()[0] == f"{-nats.sum():10.3f}  the king"
    out = call("score", run, "--per-token", stdin=stdin)[1]
    assert out.splitlines()[0] == f"{-nats.mean():10.3f}  the king"
    assert run == "words" or ("' '" in out and r"'\n'" in out), "what cannot be seen is written out"
    numbers = json.loads(call("evaluate", run, "-", "--json", stdin=stdin)[1])
    assert numbers["tokens"] == len(nats)
    assert numbers["nats_per_token"] == pytest.approx(nats.mean(dtype=float), rel=1e-6)


def test_rank_sorts_the_candidates_by_sum_or_by_mean_and_rewards_no_unknown_word(call, folder):
    model, vocabulary, _ = nlm.load_checkpoint(folder / "words" / "best.npz")
    known, unknown = ["the", "the king sleeps .", "the king near the queen sleeps ."], ["zebra", "the zebra sleeps ."]
    lines = [*unknown, known[1], "", known[0], known[2]]
    nats = {line: nlm.surprisals(model, nlm.encode_stream(vocabulary, line + "\n")) for line in known + unknown}
    (folder / "candidates.txt").write_text("\n".join(lines))
    orders = []
    for options, mean_or_sum in (((), np.sum), (("--per-token",), np.mean)):
        status, out, err = call("score", "words", "--rank", *options, "candidates.txt")  # an option before an argument
        expected = [
            line for part in (known, unknown) for line in sorted(part, key=lambda line: mean_or_sum(nats[line]))
        ]
        assert status == 0 and "does not know 'zebra'" in err and "unknown words come last in the ranking: 2" in err
        assert out.splitlines() == [f"{-mean_or_sum(nats[line]):10.3f}  {line}" for line in expected] + ["         -  "]
        orders.append(expected)
    assert orders[0] != orders[1], "the mean forgives length"


# Both


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        ("evaluate words nowhere.txt", b"", "there is no file nowhere.txt"),
        ("evaluate words -", b"", "standard input is empty"),
        ("evaluate words -", b"caf\xe9", "standard input is not UTF-8 text: byte 3"),
        (
            "evaluate words --source text.txt",
            b"",
            "--source and --target are files of translate; words is a run of `train`",
        ),
        ("evaluate copy.npz", b"", "name a text to evaluate on"),
        ("evaluate abc.npz -", b"a", "standard input holds 1 tokens, where two are needed"),
        ("evaluate bare.npz text.txt", b"", "it holds a model without a vocabulary"),
        ("score words", b"\xff\xfe", "standard input is UTF-16 text, not UTF-8"),
        ("score abc.npz", b"a\n", "a line of one character cannot be scored"),
    ],
)
def test_refusals_are_one_line(call, arguments, stdin, message):
    assert message in call(*arguments.split(), stdin=stdin).refused()
