"""sample: what generate gives, in a terminal and in pipes; and what it refuses or notes."""

import subprocess
import sys

import numpy as np
import pytest
from processes import SECONDS, run_in_terminal, run_numpylm, start_numpylm
from run_examples import make_runs

import numpylm as nlm
from numpylm.commands.run_folder import RunError
from numpylm.commands.trained import checkpoint_path
from numpylm.translation import EncoderDecoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_runs(tmp_path_factory.mktemp("sample"))


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, ""),
        ({"temperature": 0.5, "top_k": 5}, "--temperature 0.5 --top-k 5"),
        ({"top_p": 0.8}, "--top-p 0.8"),
        ({"temperature": 0}, "--greedy"),
    ],
)
def test_it_gives_what_generate_gives(call, folder, options, arguments):
    for run, prompt, length in (("chars", "the k", 60), ("words", "the king", 40)):
        model, vocabulary, _ = nlm.load_checkpoint(folder / run / "best.npz")
        tokens = nlm.encode_stream(vocabulary, prompt)
        drawn = nlm.generate(model, tokens, length, rng=np.random.default_rng(9), exclude=[0], **options)
        text = nlm.decode(vocabulary, drawn)
        expected = (prompt + (" " if run == "words" else "") + text).rstrip("\n")
        fixed = ("--prompt", prompt, "--length", length, "--seed", 9)
        assert call("sample", run, *fixed, *arguments.split())[1].rstrip("\n") == expected


def test_the_kth_of_many_texts_is_that_of_a_seed_k_higher(call):
    """Whole texts under their numbers; with --one-line each is a line."""
    many = call("sample", "words", "--length", "20", "--seed", "5", "--count", "3")[1]
    alone = [call("sample", "words", "--length", "20", "--seed", str(seed))[1] for seed in (5, 6, 7)]
    assert many == "".join(f"--- {k + 1} of 3 ---\n{text}" for k, text in enumerate(alone))
    lines = call("sample", "words", "--length", "60", "--seed", "5", "--count", "3", "--one-line")[1].splitlines()
    assert lines == [call("sample", "words", "--seed", str(5 + k), "--one-line")[1].strip("\n") for k in range(3)]
    many = call("sample", "words", "--length", "2", "--seed", "5", "--count", "300")[1]
    assert many.endswith("--- 300 of 300 ---\n" + call("sample", "words", "--length", "2", "--seed", "304")[1])
    assert [text.splitlines()[0].startswith(line[:20]) for text, line in zip(alone, lines, strict=True)] == [True] * 3


def test_an_empty_prompt_is_a_lines_beginning_and_no_length_writes_no_token(call):
    assert call("sample", "words", "--prompt", "", "--seed", "1") == call("sample", "words", "--seed", "1")
    assert call("sample", "words", "--prompt", "the king", "--length", "0") == (0, "the king\n", "")
    assert call("sample", "words", "--length", "0") == (0, "", "")


def test_what_the_model_does_not_know_and_what_has_no_effect_is_noted(call):
    status, out, err = call("sample", "words", "--prompt", "the zebra é\nzebra the", "--length", "3")
    assert status == 0 and out.startswith("the zebra é\nzebra the")
    assert err == "note: the model does not know 'zebra', 'é' and reads <unk> there\n"
    status, out, err = call("sample", "chars", "--prompt", "0123456 the\udcff\x1b", "--length", "3")
    assert status == 0 and out.startswith(r"0123456 the\udcff\x1b")
    assert err == "note: the model does not know '0', '1', '2', '3', '4', … and reads <unk> there\n"
    _, out, err = call("sample", "words", "--greedy", "--temperature", "0.5", "--seed", "3", "--length", "5")
    assert err == "note: --greedy draws nothing: no effect of --temperature, --seed\n"
    assert out == call("sample", "words", "--temperature", "0", "--length", "5")[1]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_lines_are_broken_between_words_in_a_terminal(folder):
    arguments = ["--length", "150", "--temperature", "2", "--seed", "1"]
    status, lines = run_in_terminal("sample", "words", *arguments, folder=folder, columns=40)
    whole = run_numpylm("sample", "words", *arguments, folder=folder)[1]
    assert status == 0
    assert [word for line in lines for word in line[0].split()] == whole.split(), "no word is lost or cut"
    assert max(len(line[0]) for line in lines) <= 40 < max(map(len, whole.splitlines()))


def test_a_reader_that_goes_away_ends_sample_and_score_quietly(folder):
    with start_numpylm("sample", "chars", "--length", "100000", folder=folder) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(SECONDS) == 0
    with start_numpylm("score", "words", folder=folder, stdin=subprocess.PIPE) as process:
        process.stdout.close()  # before a short output, which is written when the process ends
        process.stdin.write(b"the king\n")
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(SECONDS) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nowhere", "there is no run or checkpoint nowhere"),
        (".", "holds no run"),
        ("text.txt", "text.txt: it is not a numpylm file"),
        ("words --length -1", "--length must be an integer, 0 or above; got -1"),
        ("words --top-k 100000", "--top-k must lie in 1..V"),
        ("words --temperature -1", "--temperature must be"),
    ],
)
def test_it_refuses_in_one_line(call, arguments, message):
    assert message in call("sample", *arguments.split()).refused()


def test_a_run_that_was_not_yet_validated_is_used_by_its_last_checkpoint(folder, tmp_path):
    with pytest.raises(RunError, match=r"neither best\.npz nor last\.npz"):
        checkpoint_path(tmp_path)
    for name, expected in (("last.npz", "last.npz"), ("best.npz", "best.npz")):
        (tmp_path / name).write_bytes((folder / "words" / name).read_bytes())
        assert checkpoint_path(tmp_path) == tmp_path / expected


def test_a_checkpoint_of_another_kind_names_the_command_that_fits(folder, call):
    vocabulary = nlm.build_vocabulary("a b", "word")
    model = EncoderDecoder(len(vocabulary), len(vocabulary), 2, 4)
    nlm.save_checkpoint(folder / "other.npz", model, {"source": vocabulary, "target": vocabulary})
    for command in ("sample", "score"):
        message = call(command, "other.npz", stdin=b"the king").refused()
        assert "other.npz holds a run of `translate`: use it with `translate other.npz`" in message
    assert call("info", "other.npz")[1].startswith("other.npz: ENCODER-DECODER translation model")
