"""prepare, and training and evaluating from what it made: as processes, in a terminal, and in what they refuse."""

import json
from dataclasses import replace

import pytest
from processes import run_numpylm
from run_examples import assert_same_state, config_of, state_of

import numpylm as nlm
from numpylm.commands import train as language
from numpylm.commands import train_report
from numpylm.commands.cli import main
from numpylm.data import grammar
from numpylm.data.token_file import TOKENS_OFFSET, TokenFileError, open_token_file

SMALL = ["--epochs", "1", "-D", "8", "-H", "8", "-N", "8", "-T", "16"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with text.txt, and of it words.tokens, and chars.tokens, which came through standard input."""
    folder = tmp_path_factory.mktemp("prepare")
    (folder / "text.txt").write_text(grammar.generate_text(1500, 11), encoding="utf-8")
    for arguments in (("text.txt", "--level", "word", "--out", "words.tokens"), ("-", "--out", "chars.tokens")):
        status, _, err = run_numpylm("prepare", *arguments, folder=folder, stdin=(folder / "text.txt").read_bytes())
        assert (status, err) == (0, "")
    return folder


def streams(path):
    return {part: stream.tolist() for part, stream in open_token_file(path).tokens.items()}


def test_prepare_says_what_is_in_the_file_and_how_to_go_on(call, folder):
    status, out, err = call("prepare", "text.txt", "--split", "0.7", "0", "0.3")
    assert (status, err) == (0, "")
    text = (folder / "text.txt").read_text(encoding="utf-8")
    counts = [len(text) * 7 // 10, *[len(text) - len(text) * 7 // 10] * 2]
    expected = ", ".join(f"{n:,} {part}" for n, part in zip(counts, ("train", "valid", "test"), strict=True))
    assert out.startswith(f"text.tokens: tokens are chars, V = {len(set(text)) + 1}, uint8\n  {expected}\ntrain on it")
    assert max(len(line) for line in out.splitlines() if "numpylm" not in line) < 80
    assert out.endswith(" -m numpylm train --corpus text.tokens\n")
    assert streams(folder / "text.tokens")["valid"] == streams(folder / "text.tokens")["test"]


@pytest.mark.parametrize("level", ["word", "char"])
def test_training_on_a_token_file_is_training_on_its_text_bit_for_bit(folder, call, level):
    summaries = []
    for corpus, options in (("text.txt", ["--level", level]), (f"{level}s.tokens", [])):
        out = f"{level}-{corpus}"
        assert call("train", "--corpus", corpus, *options, *SMALL, "--out", out)[0] == 0
        summaries.append(json.loads((folder / out / "summary.json").read_text()))
    assert_same_state(folder / f"{level}-{level}s.tokens", state_of(folder / f"{level}-text.txt"))
    for name in ("test_nats_per_token", "baselines", "vocabulary", "level"):
        assert summaries[0][name] == summaries[1][name], name


def test_a_resumed_run_goes_on_and_refuses_a_changed_corpus(call, folder):
    assert call("prepare", "text.txt", "--out", "mine.tokens")[0] == 0
    assert call("train", "--corpus", "mine.tokens", *SMALL, "--out", "run")[0] == 0
    assert call("train", "--resume", "run", "--epochs", "2")[0] == 0
    content = (folder / "mine.tokens").read_bytes()
    damaged = bytearray(content)
    damaged[TOKENS_OFFSET + 100] ^= 1
    (folder / "mine.tokens").write_bytes(damaged)
    assert "it is damaged" in call("train", "--resume", "run").refused()
    (folder / "mine.tokens").unlink()
    assert call("prepare", "text.txt", "--max-vocabulary", "20", "--out", "mine.tokens")[0] == 0
    assert (folder / "mine.tokens").read_bytes() != content, "otherwise this test shows nothing"
    assert "have changed since it started" in call("train", "--resume", "run").refused()


def test_training_stops_with_a_sentence_when_its_token_file_is_cut_short_meanwhile(folder, tmp_path):
    """Without a look at the file before each batch, the system would end the process: SIGBUS."""
    path = tmp_path / "mine.tokens"
    path.write_bytes((folder / "words.tokens").read_bytes())
    choices = replace(config_of(str(path)).data, split=None)
    data = language.open_data(replace(config_of(str(path)), data=choices))
    batches = language.make_task(config_of(str(path)), data).batches(0, 0)
    next(batches)
    with open(path, "r+b") as other:
        other.truncate(100)
    with pytest.raises(TokenFileError, match="another program has changed it while it was in use"):
        next(batches)


def test_evaluate_streams_the_test_part_of_its_own_or_another_file(call, folder):
    call("train", "--corpus", "words.tokens", *SMALL, "--out", "trained")
    model, vocabulary, _ = nlm.load_checkpoint(folder / "trained" / "best.npz")
    test = open_token_file(folder / "words.tokens").tokens["test"]
    for arguments in ((), ("words.tokens",)):
        status, out, err = call("evaluate", "trained", *arguments, "--json")
        assert (status, err) == (0, "")
        numbers = json.loads(out)
        assert numbers["tokens"] == len(test) - 1 and numbers["nats_per_token"] == nlm.evaluate(model, test).loss
    (folder / "other.txt").write_text("the king sleeps .\nthe zebra .\n" * 30)
    assert call("prepare", "other.txt", "--vocabulary", "trained", "--split", "0", "0", "1")[0] == 0
    by_tokens, by_text = (
        json.loads(call("evaluate", "trained", f"other.{kind}", "--json")[1]) for kind in ("tokens", "txt")
    )
    assert by_tokens == by_text and by_tokens["unknown_tokens"] == 30 * ("zebra" not in vocabulary.tokens)
    assert call("prepare", "other.txt", "--level", "word", "--out", "foreign.tokens")[0] == 0
    message = call("evaluate", "trained", "foreign.tokens").refused()
    assert "prepared with another vocabulary than the model's" in message and "--vocabulary trained" in message


def test_a_vocabulary_comes_from_a_token_file_too_and_a_folder_is_its_three_parts(call, folder):
    assert call("prepare", "text.txt", "--vocabulary", "words.tokens", "--out", "again.tokens")[0] == 0
    assert (folder / "again.tokens").read_bytes() == (folder / "words.tokens").read_bytes()
    (folder / "parts").mkdir()
    for part in ("train", "valid", "test"):
        (folder / "parts" / f"{part}.txt").write_text(f"the {part} part\nthe end\n")
    assert call("prepare", "parts")[0] == 0
    file = open_token_file(folder / "parts.tokens")
    assert file.vocabulary.level == "word" and "train" in file.vocabulary.tokens
    assert 0 in file.tokens["test"] and 0 not in file.tokens["train"]


def test_the_report_says_of_how_many_tokens_the_n_grams_are(folder, call, monkeypatch):
    monkeypatch.setattr(train_report, "STREAMED_TOKENS", 1000)
    status, out, _ = call("train", "--corpus", "chars.tokens", *SMALL, "--out", "short")
    assert status == 0 and "5-gram of the first 1,000 " in out
    assert max(len(line) for line in out.splitlines() if "numpylm" not in line) < 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nowhere.txt", "there is no file nowhere.txt"),
        ("latin.txt", "latin.txt is not UTF-8 text: byte 3"),
        ("empty.txt", "empty.txt is empty"),
        ("-", "name the token file to write: --out"),
        ("text.txt text.txt", "name the token file to write: --out"),
        ("- - --out new.tokens", "standard input, -, can be read once only"),
        ("- --out new.tokens", "standard input is empty"),
        ("text.txt --out words.tokens", "words.tokens exists already; name a new file"),
        ("text.txt --out nowhere/new.tokens", "there is no folder nowhere"),
        ("text.txt --out new.tokens --split 1 1 1", "sum to 1"),
        ("text.txt --out new.tokens --vocabulary words.tokens --min-count 2", "leave out --min-count"),
        ("text.txt --out new.tokens --vocabulary nowhere", "there is no run or checkpoint nowhere"),
        ("text.txt --out new.tokens --vocabulary words.tokens --level char", "the vocabulary is one of words"),
        ("three --out new.tokens --split 0.8 0.1 0.1", "--split cuts one text; three has its three parts already"),
        ("three --out new.tokens", "three must have exactly one file each for train, valid, test"),
        ("words.tokens --out new.tokens", "words.tokens is a token file already"),
    ],
)
def test_prepare_refuses_in_one_line_and_writes_nothing(call, folder, arguments, message):
    (folder / "latin.txt").write_bytes(b"caf\xe9")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "three").mkdir(exist_ok=True)
    before = sorted(folder.iterdir())
    assert message in call("prepare", *arguments.split()).refused()
    assert sorted(folder.iterdir()) == before


def test_a_closed_standard_input_does_not_matter_to_files(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.stdin", None)
    assert main(["prepare", "text.txt", "--out", "closed.tokens"]) == 0
    assert main(["prepare", "-", "--out", "no.tokens"]) == 2
    assert "standard input is closed: name a text file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--level word", "words.tokens is a token file, made with its own --level: give that to prepare"),
        ("--split 0.8 0.1 0.1", "made with its own --split"),
        ("--max-vocabulary 9", "made with its own --max-vocabulary"),
        ("--batch-size 5000", "N = 5000 streams need"),
    ],
)
def test_train_refuses_what_prepare_has_settled(call, options, message):
    assert message in call("train", "--corpus", "words.tokens", *options.split(), "--out", "no").refused()
