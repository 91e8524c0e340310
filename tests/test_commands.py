"""sample, evaluate and score: as processes and in terminals and pipes; and what they refuse."""

import io
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from processes import SECONDS, environment, run_in_terminal, run_numpylm, start_numpylm

import numpylm as nlm
from numpylm.commands import run as runs
from numpylm.commands import use_commands as commands
from numpylm.commands.cli import main
from numpylm.commands.run import start_run
from numpylm.commands.run_folder import RunConfig
from numpylm.data import grammar
from numpylm.training import Settings

SETTINGS = Settings(batch_size=8, num_steps=16, epochs=3, learning_rate=0.03)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with two short runs, words/ and chars/, and the text of both."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "text.txt").write_text(grammar.generate_text(2000, 5), encoding="utf-8")
    for name, level in (("words", "word"), ("chars", "char")):
        sizes = {"embedding_dim": 8, "hidden_dim": 16}
        run = start_run(folder / name, RunConfig("lstm", sizes, str(folder / "text.txt"), level, 1, None, SETTINGS))
        runs.train(run, show_progress=False)
    return folder


@pytest.fixture
def call(folder, monkeypatch, capsys):
    """main in the folder: call(words of a command line, stdin=bytes) -> (status, standard output, standard error)."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")

    def called(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        try:
            status = main(list(arguments))
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return called


def refused(called, command):
    """The message of the one line on standard error with which main refused."""
    status, out, err = called
    assert (status, out) == (2, "")
    assert err.startswith(f"numpylm {command}: error: ") and err.count("\n") == 1
    return err


# sample


def test_sample_writes_words_or_characters_as_a_process(folder):
    status, out, err = run_numpylm("sample", "words", "--length", "30", "--seed", "3", folder=folder)
    assert (status, err) == (0, "")
    assert len([*nlm.text.split_words(out)]) in (30, 31), "the line end that is printed last may be one more"
    status, out, err = run_numpylm("sample", "chars/best.npz", "--length", "50", "--prompt", "the ", folder=folder)
    assert (status, err) == (0, "")
    assert out.startswith("the ") and len(out.removesuffix("\n")) in (53, 54)


def test_sample_gives_what_generate_gives(call, folder):
    checkpoint = nlm.load_checkpoint(folder / "chars" / "best.npz")
    prompt = nlm.encode_stream(checkpoint.vocabulary, "the k")
    for options, arguments in (
        ({}, ""),
        ({"temperature": 0.5, "top_k": 5}, "--temperature 0.5 --top-k 5"),
        ({"top_p": 0.8}, "--top-p 0.8"),
        ({"temperature": 0}, "--greedy"),
    ):
        tokens = nlm.generate(checkpoint.model, prompt, 60, rng=np.random.default_rng(9), **options)
        expected = "the k" + nlm.decode(checkpoint.vocabulary, tokens)
        out = call("sample", "chars", "--prompt", "the k", "--length", "60", "--seed", "9", *arguments.split())[1]
        assert out == expected + ("" if expected.endswith("\n") else "\n")


def test_sampled_words_are_spaced_as_decode_spaces_them(call, folder):
    checkpoint = nlm.load_checkpoint(folder / "words" / "best.npz")
    prompt = nlm.encode_stream(checkpoint.vocabulary, "the king")
    tokens = nlm.generate(checkpoint.model, prompt, 80, rng=np.random.default_rng(4))
    out = call("sample", "words", "--prompt", "the king", "--length", "80", "--seed", "4")[1]
    assert out.rstrip("\n") == "the king " + nlm.decode(checkpoint.vocabulary, tokens).rstrip("\n")


def test_an_empty_prompt_is_a_lines_beginning_and_no_length_writes_no_token(call):
    assert call("sample", "words", "--prompt", "", "--seed", "1") == call("sample", "words", "--seed", "1")
    assert call("sample", "words", "--prompt", "the king", "--length", "0") == (0, "the king\n", "")
    assert call("sample", "words", "--length", "0") == (0, "", "")


def test_what_the_model_does_not_know_is_noted(call):
    status, out, err = call("sample", "words", "--prompt", "the zebra é\nzebra the", "--length", "3")
    assert status == 0 and out.startswith("the zebra é\nzebra the")
    assert err == "note: the model does not know 'zebra', 'é' and reads <unk> there\n"
    status, out, err = call("sample", "chars", "--prompt", "0123456 the\udcff", "--length", "3")
    assert status == 0 and out.startswith("0123456 the?")
    assert err == "note: the model does not know '0', '1', '2', '3', '4', … and reads <unk> there\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_lines_are_broken_between_words_in_a_terminal(folder):
    arguments = ["--length", "150", "--temperature", "2", "--seed", "1"]
    for run in ("words", "chars"):
        status, lines = run_in_terminal("sample", run, *arguments, folder=folder, columns=40)
        whole = run_numpylm("sample", run, *arguments, folder=folder)[1]
        assert status == 0
        assert [word for line in lines for word in line[0].split()] == whole.split(), "no word is lost or cut"
        if run == "words":
            assert max(len(line[0]) for line in lines) <= 40 < max(map(len, whole.splitlines()))


def test_a_space_becomes_a_line_end_where_a_word_may_not_fit():
    vocabulary = nlm.build_vocabulary("a b\n", "char")
    assert commands.fits(vocabulary, " ", 28, 40) and not commands.fits(vocabulary, " ", 29, 40)
    assert commands.fits(vocabulary, "a", 39, 40) and commands.fits(vocabulary, "\n", 40, 40)


def test_a_reader_that_goes_away_ends_sample_and_score_quietly(folder):
    for arguments in (("sample", "chars", "--length", "100000"), ("score", "words", "text.txt")):
        with start_numpylm(*arguments, folder=folder) as process:
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(SECONDS) == 0


def test_a_reader_that_has_gone_before_a_short_output_is_no_error(folder):
    """What is short is written when the process ends, where an error would be printed by Python itself."""
    with start_numpylm("score", "words", folder=folder, stdin=subprocess.PIPE) as process:
        process.stdout.close()
        process.stdin.write(b"the king\n")
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(SECONDS) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nowhere", "there is no run or checkpoint nowhere"),
        (".", "holds no run"),
        ("text.txt", "text.txt: not a numpylm checkpoint"),
        ("words --length -1", "length must be an integer, 0 or above; got -1"),
        ("words --top-k 0", "top_k must be"),
        ("words --top-k 100000", "top_k must lie in 1..V"),
        ("words --top-p 1.5", "top_p must be"),
        ("words --temperature -1", "temperature must be"),
        ("words --temperature nan", "temperature must be"),
        ("words --seed -3", "non-negative"),
        ("words --length ten", "invalid int value: 'ten'"),
        ("", "the following arguments are required: RUN"),
    ],
)
def test_sample_refuses_in_one_line(call, arguments, message):
    assert message in refused(call("sample", *arguments.split()), "sample")


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
    numbers = json.loads(call("evaluate", run, "text.txt", "--json")[1])
    assert numbers["tokens"] == len(nats) and numbers["unknown_tokens"] == 0
    assert numbers["nats_per_token"] == pytest.approx(nats.mean(dtype=float), rel=1e-6)
    assert numbers["perplexity"] == pytest.approx(math.exp(numbers["nats_per_token"]))
    assert numbers["bits_per_character"] == pytest.approx(nats.sum(dtype=float) / math.log(2) / len(content), rel=1e-6)
    assert 0 < numbers["accuracy"] < 1


def test_bits_per_character_are_over_the_characters_that_are_predicted(call, tmp_path):
    """Without line ends in the vocabulary, a text's first character is only read."""
    vocabulary = nlm.build_vocabulary("abc", "char")
    model = nlm.LSTMLM(len(vocabulary), 2, 3)
    nlm.save_checkpoint(tmp_path / "abc.npz", model, vocabulary)
    numbers = json.loads(call("evaluate", str(tmp_path / "abc.npz"), "-", "--json", stdin=b"abcab")[1])
    assert numbers["tokens"] == 4
    assert numbers["bits_per_character"] == pytest.approx(numbers["nats_per_token"] / math.log(2))


def test_a_text_with_unknown_tokens_has_no_bits_per_character(call, tmp_path):
    vocabulary = nlm.build_vocabulary("abc", "char")
    nlm.save_checkpoint(tmp_path / "abc.npz", nlm.LSTMLM(len(vocabulary), 2, 3), vocabulary)
    numbers = json.loads(call("evaluate", str(tmp_path / "abc.npz"), "-", "--json", stdin=b"abzab")[1])
    assert (numbers["unknown_tokens"], numbers["bits_per_character"]) == (1, None)
    assert "not defined" in call("evaluate", str(tmp_path / "abc.npz"), "-", stdin=b"abzab")[1]


def test_evaluate_notes_a_corpus_that_has_changed(call, folder):
    config = folder / "words" / "config.json"
    before = config.read_text()
    config.write_text(before.replace(json.loads(before)["corpus_sha256"], "other"))
    status, out, err = call("evaluate", "words")
    config.write_text(before)
    assert status == 0 and out and err.startswith("note: ") and "is not what it was" in err


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        ("words nowhere.txt", b"", "there is no file nowhere.txt"),
        ("words .", b"", "is a folder, expected a text file"),
        ("words -", b"", "standard input holds no text"),
        ("words -", b"caf\xe9", "standard input is not UTF-8 text: byte 3 does not fit"),
        ("words latin.txt", b"", "latin.txt is not UTF-8 text"),
        ("copy.npz", b"", "name a text to evaluate on"),
        ("abc.npz -", b"a", "standard input holds 1 tokens, where two are needed"),
        ("bare.npz text.txt", b"", "it holds a model without a vocabulary"),
    ],
)
def test_evaluate_refuses_in_one_line(call, folder, arguments, stdin, message):
    (folder / "latin.txt").write_bytes(b"caf\xe9 " * 100)
    (folder / "copy.npz").write_bytes((folder / "words" / "best.npz").read_bytes())
    nlm.save_checkpoint(folder / "abc.npz", nlm.LSTMLM(4, 2, 3), nlm.build_vocabulary("abc", "char"))
    nlm.save_checkpoint(folder / "bare.npz", nlm.LSTMLM(4, 2, 3))
    assert message in refused(call("evaluate", *arguments.split(), stdin=stdin), "evaluate")


# score


def test_score_gives_each_line_and_each_token_as_a_process(folder):
    lines = "the king sleeps .\n\nking the\n"
    status, out, err = run_numpylm("score", "words", folder=folder, stdin=lines.encode())
    assert (status, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0][1:] == ["the", "king", "sleeps", "."] and rows[3][1:] == ["king", "the"]
    assert rows[1] == ["the", "king", "sleeps", ".", "<eos>"] and rows[4] == ["king", "the", "<eos>"]
    for total, surprisals in ((rows[0][0], rows[2]), (rows[3][0], rows[5])):
        assert float(total) == pytest.approx(-sum(map(float, surprisals)), abs=0.005 * len(surprisals) + 0.001)


def test_score_is_the_log_probability_of_the_line_and_its_end_after_a_line_end(call, folder):
    model, vocabulary, _ = nlm.load_checkpoint(folder / "chars" / "best.npz")
    nats = nlm.surprisals(model, nlm.encode(vocabulary, "\nthe king\n"))
    out = call("score", "chars", stdin=b"the king")[1]
    assert out.splitlines()[0] == f"{-nats.sum():10.3f}  the king"
    out = call("score", "chars", "--per-token", stdin=b"the king\r\n")[1]
    assert out.splitlines()[0] == f"{-nats.mean():10.3f}  the king"
    assert "' '" in out and r"'\n'" in out, "what cannot be seen is written out"


def test_rank_sorts_the_candidates_by_sum_or_by_mean(call, folder):
    model, vocabulary, _ = nlm.load_checkpoint(folder / "words" / "best.npz")
    candidates = ["the", "the king sleeps .", "zebra", "the king near the queen sleeps ."]
    nats = {line: nlm.surprisals(model, nlm.encode_stream(vocabulary, line + "\n")) for line in candidates}
    (folder / "candidates.txt").write_text("\n".join(candidates))
    orders = []
    for options, mean_or_sum in (((), np.sum), (("--per-token",), np.mean)):
        status, out, _ = call("score", "words", "candidates.txt", "--rank", *options)
        expected = sorted(candidates, key=lambda line: mean_or_sum(nats[line]))
        assert status == 0
        assert out.splitlines() == [f"{-mean_or_sum(nats[line]):10.3f}  {line}" for line in expected]
        orders.append(expected)
    assert orders[0] != orders[1], "the mean forgives length"


def test_surprisals_stand_below_their_tokens_within_the_width(call, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    line = " ".join(["the king"] * 20 + ["a" * 70])
    status, out, _ = call("score", "words", stdin=line.encode())
    rows = out.splitlines()[1:]
    assert status == 0 and len(rows) > 2
    assert max(map(len, rows)) < 50
    for names, values in zip(rows[::2], rows[1::2], strict=True):
        assert len(names) == len(values) and len(names.split()) == len(values.split())


def test_a_token_is_shown_so_that_it_can_be_seen():
    assert [commands.visible(token) for token in ("a", "<unk>", " ", "\n", "\x1b", "é")] == [
        *("a", "<unk>", "' '", r"'\n'", r"'\x1b'", "é")
    ]


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        ("words", b"", "standard input holds no text"),
        ("words", b"\xff\xfe", "standard input is not UTF-8"),
        ("words blank.txt", b"", "there is no line to score in blank.txt"),
        ("words nowhere.txt", b"", "there is no file nowhere.txt"),
        ("abc.npz", b"a\n", "a line of one character cannot be scored"),
        ("nowhere", b"", "there is no run or checkpoint nowhere"),
    ],
)
def test_score_refuses_in_one_line(call, folder, arguments, stdin, message):
    (folder / "blank.txt").write_text("\n \n")
    nlm.save_checkpoint(folder / "abc.npz", nlm.LSTMLM(4, 2, 3), nlm.build_vocabulary("abc", "char"))
    assert message in refused(call("score", *arguments.split(), stdin=stdin), "score")


# All of them


def test_an_old_terminal_shows_question_marks(folder):
    env = environment(PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C")
    status, out, err = run_numpylm("sample", "words", "--prompt", "the é", "--length", "1", folder=folder, env=env)
    assert status == 0 and out.startswith("the ?") and "does not know" in err


def test_a_run_that_was_not_yet_validated_is_used_by_its_last_checkpoint(folder, tmp_path):
    for name, expected in (("last.npz", "last.npz"), ("best.npz", "best.npz")):
        (tmp_path / name).write_bytes((folder / "words" / name).read_bytes())
        assert commands.checkpoint_path(tmp_path) == tmp_path / expected
