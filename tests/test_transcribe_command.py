"""The transcribe command from outside: built-in speech, recordings of tones, lists of candidates, and bad input."""

import json
from shutil import copytree

import numpy as np
import pytest
from calls import call_in, output_in

from numpylm.commands.transcribe import SpeechData, read_features
from numpylm.commands.transcription_report import measured
from numpylm.data.features import Sound, write_wav
from numpylm.data.text import build_vocabulary, encode
from numpylm.kinds.transcription_task import Heard

RATE = 8000
HERTZ = {"low": 400, "mid": 900, "high": 2000}
SMALL = "--num-utterances 10 --epochs 1 -H 8"


def tones(words, rng):
    """A Sound in which each word is a tone of 0.15 s, with silence around it and a little noise."""
    t = np.arange(int(0.15 * RATE)) / RATE
    pieces = [np.zeros(600)]
    for word in words:
        pieces += [0.3 * np.sin(2 * np.pi * HERTZ[word] * rng.uniform(0.95, 1.05) * t), np.zeros(400)]
    samples = np.concatenate(pieces)
    return Sound(samples + 0.01 * rng.standard_normal(len(samples)), RATE)


def write_recordings(folder, count, seed):
    """A folder of .wav files and transcripts.tsv; `high` never comes first."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    lines = []
    for k in range(count):
        words = [rng.choice(["low", "mid"]), *rng.choice(list(HERTZ), rng.integers(1, 4))]
        write_wav(folder / f"{k}.wav", tones(words, rng))
        lines.append(f"{k}.wav\t{' '.join(words)}\n")
    (folder / "transcripts.tsv").write_text("".join(lines))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a short built-in run, one that has learnt tones, and their recordings."""
    folder = tmp_path_factory.mktemp("transcribe")
    write_recordings(folder / "sounds", 90, 0)
    write_recordings(folder / "others", 5, 1)
    (folder / "small.out").write_text(output_in(folder, "transcribe", *SMALL.split(), "--out", "small"))
    options = "--train sounds -H 16 --epochs 18 -N 8 --learning-rate 0.02 --out tones"
    (folder / "tones.out").write_text(output_in(folder, "transcribe", *options.split()))
    return folder


def test_the_built_in_run_says_what_it_does(folder):
    out = (folder / "small.out").read_text()
    for expected in (
        "corpus  synthetic speech: 10 train, 1 valid, 2 test utterances",
        "model   GRU with CTC, B=39, H=8, L=1, bidirectional, dropout 0.2, N=16\n",
        "epoch 1/1: train loss ",
        "word error rate ",
        "Test utterances: 2, of ",
        "  best path ",
        "  with language model ",
        "  oracle ",
        "a program spoke each sentence, with a voice that\ntraining has not heard.",
        "transcribe small",
    ):
        assert expected in out, expected
    assert max(map(len, out.partition("Some transcripts")[2].splitlines())) < 80
    files = {path.name for path in (folder / "small").iterdir()}
    assert {"hearing.png", "test-0.wav", "language", "best.npz", "summary.json", "learning_curve.png"} <= files


def summary_of(folder, run):
    return json.loads((folder / run / "summary.json").read_text())


def test_the_summary_has_the_fields_of_a_speech_run_and_evaluate_and_info_know_it(folder):
    summary = summary_of(folder, "tones")
    rates = [summary[name] for name in ("error_rate", "error_rate_with_language_model", "error_rate_oracle")]
    assert all(0 <= rate < 0.2 for rate in rates) and rates[2] <= rates[1]
    assert summary["loss_unit"] == "nats per word" and summary["seconds"] > 0 and summary["parameters"] > 1000
    assert (folder / "tones" / "hearing.png").stat().st_size > 10_000 and not (folder / "tones" / "test-0.wav").exists()
    own = json.loads(output_in(folder, "evaluate", "tones", "--json"))
    assert own["utterances"] == 9 and own["error_rate"] == pytest.approx(summary["error_rate"])
    assert "Test utterances: 5, of 16 words" in output_in(folder, "evaluate", "tones", "others")
    said = folder / "others" / "transcripts.tsv"
    said.write_text(said.read_text() + "0.wav\tlow zebra\n")
    assert "the model does not know 'zebra'" in call_in(folder, "evaluate", "tones", "others")[2]
    assert "speech model" in output_in(folder, "info", "tones")


@pytest.mark.parametrize(("level", "other", "rate"), [("word", "character", 3 / 11), ("char", "word", 1 / 3)])
def test_errors_are_counted_in_words_and_in_characters(level, other, rate):
    """Of three words one is wrong, and of its eleven characters three."""
    vocabulary = build_vocabulary("low mid low\n", level)
    said, heard = (tuple(encode(vocabulary, text).tolist()) for text in ("low mid mid", "low mid low"))
    found = measured(Heard([said], {"error_rate": [heard]}, []), vocabulary, {})
    half = measured(Heard([said, heard], {"error_rate": [heard, heard]}, []), vocabulary, {})
    assert half.fields["sentence_error_rate"] == 1 / 2
    names = [name for name in found.fields if name.endswith("error_rate")]
    assert names == ["error_rate", f"{other}_error_rate", "sentence_error_rate"]
    assert found.fields[f"{other}_error_rate"] == pytest.approx(rate) and found.fields["sentence_error_rate"] == 1
    assert f"{other}s" in found.table[1]


def test_it_transcribes_recordings_that_it_has_not_heard(folder):
    lines = (folder / "others" / "transcripts.tsv").read_text().splitlines()
    files = [f"others/{k}.wav" for k in range(5)]
    heard = dict(line.split("\t") for line in output_in(folder, "transcribe", "tones", *files).splitlines())
    said = {f"others/{line.split(chr(9))[0]}": line.split("\t")[1] for line in lines}
    assert sum(heard[file] == said[file] for file in files) >= 4
    alone = output_in(folder, "transcribe", "tones", "others/0.wav", "--alpha", "0", "--beam", "3").rstrip("\n")
    assert set(alone.split()) <= set(HERTZ)


def test_silence_of_exact_zeros_gets_soft_noise(tmp_path):
    samples = np.concatenate((np.zeros(4000), 0.3 * np.random.default_rng(0).standard_normal(4000)))
    write_wav(tmp_path / "a.wav", Sound(samples, RATE))
    features = read_features(tmp_path / "a.wav", SpeechData(cepstra=0, stack=1))
    assert (features[:40].std(axis=0) > 0.05).all() and (features[:40].mean(axis=0) < features[60:].mean(axis=0)).all()


def test_lists_are_rescored_by_a_language_model(folder):
    out = output_in(folder, "transcribe", "tones", "others/0.wav", "--n-best", "3", "--alpha", "0")
    scores = [float(line.split("\t")[1]) for line in out.splitlines()]
    assert scores == sorted(scores, reverse=True) and len(scores) == 3
    (folder / "list.tsv").write_text("a\t-1\thigh high high\nb\t-1\tlow\na\t-1.5\tlow mid\nb\t-9\tmid low\n")
    with_it = ["--lm", "tones/language", "--alpha", "1", "--beta", "0"]
    best = output_in(folder, "transcribe", "tones", "--rescore", "list.tsv", *with_it)
    assert next(line.split("\t")[::2] for line in best.splitlines()) == ["a", "low mid"]  # high never comes first
    first = output_in(folder, "transcribe", "tones", "--rescore", "list.tsv", "--alpha", "0", "--beta", "0")
    assert [line.split("\t") for line in first.splitlines()] == [
        ["a", "-1.0000", "high high high"],
        ["b", "-1.0000", "low"],
    ]


def test_weights_are_chosen_anew_for_another_language_model(folder, tmp_path):
    """The run's own model, given as another one, leads to the weights that the run has chosen for it."""
    summary = summary_of(folder, "tones")
    arguments = ["transcribe", "tones", "others/0.wav", "--lm", "tones/language"]
    status, out, err = call_in(folder, *arguments)
    expected = f"the run's validation part: --alpha {summary['alpha']:g} --beta {summary['beta']:g}"
    assert status == 0 and expected in err
    assert out == output_in(folder, "transcribe", "tones", "others/0.wav")
    assert "--alpha 0.25 --beta" in call_in(folder, *arguments, "--alpha", "0.25")[2]
    assert call_in(folder, *arguments, "--alpha", "1", "--beta", "0")[2] == ""
    copytree(folder / "tones", folder / "damaged")
    (folder / "damaged" / "summary.json").write_text("[]")
    out = output_in(folder, "transcribe", "damaged", "others/0.wav", "--alpha", "1", "--beta", "0")
    assert out == output_in(folder, *arguments, "--alpha", "1", "--beta", "0")
    (folder / "sounds").rename(tmp_path / "moved")
    status, _, err = call_in(folder, *arguments)
    (tmp_path / "moved").rename(folder / "sounds")
    assert status == 2 and "the run's validation part is gone, so give both --alpha and --beta" in err


def test_weights_are_chosen_on_a_list_of_which_we_know_what_was_said(folder):
    (folder / "list.tsv").write_text("a\t-1\thigh high\na\t-2\tlow high\nb\t-3\tmid low\nb\t-1\thigh low\n")
    (folder / "said.tsv").write_text("b\tmid low\na\tlow high\n")
    arguments = ["transcribe", "tones", "--rescore", "list.tsv", "--said", "said.tsv"]
    status, out, err = call_in(folder, *arguments)
    assert status == 0 and "chosen on the list: --alpha " in err
    assert [line.split("\t")[::2] for line in out.splitlines()] == [["a", "low high"], ["b", "mid low"]]
    (folder / "said.tsv").write_text("a\tlow high\n")
    assert "said.tsv does not say what was said in 'b'" in call_in(folder, *arguments)[2]


def test_labels_may_be_characters_and_lines_may_name_parts(folder, tmp_path):
    write_recordings(tmp_path / "s", 12, 2)
    lines = (tmp_path / "s" / "transcripts.tsv").read_text().splitlines()
    parts = ["train"] * 8 + ["valid"] * 2 + ["test"] * 2
    listed = "\n".join(f"{line}\t{part}" for line, part in zip(lines, parts, strict=True))
    (tmp_path / "s" / "transcripts.tsv").write_text(listed)
    options = "--train s --level char --stack 1 --cepstra 0 -H 8 --epochs 1 --model lstm --one-direction --out c"
    status, out, err = call_in(tmp_path, "transcribe", *options.split())
    assert status == 0, err
    assert "s: 8 train, 2 valid, 2 test" in out and "LSTM with CTC, B=40, H=8, L=1, dropout 0.2" in out
    assert summary_of(tmp_path, "c")["error_rate_with_language_model"] <= 1
    other = ["--lm", tmp_path / "c" / "language"]
    assert "train with --level word" in call_in(folder, "transcribe", "tones", "others/0.wav", *other)[2]
    output_in(tmp_path, "transcribe", "c", "s/0.wav")
    (tmp_path / "s" / "transcripts.tsv").write_text(listed.removesuffix("\ttest"))
    assert "11.wav has no part, and others have" in call_in(tmp_path, "transcribe", "--train", "s")[2]


BAD_FOLDERS = {
    "none": ("a.wav\tlow\n", "none/transcripts.tsv, line 1: the recording must be a file; got "),
    "empty": ("a.wav\t \n", "line 1: what is said must be some words; got ''"),
    "part": ("a.wav\tlow\ttst\n", "line 1: the part must be train or valid or test; got 'tst'"),
    "one": ("a.wav\tlow\n", "each part needs a recording or more; got 0 train, 1 valid, 0 test"),
    "short": (f"a.wav\t{'low ' * 31}\nb.wav\tlow\nc.wav\tlow\n", "/a.wav, with --stack 3, has 16 frames, but its 31 "
              "labels need 61: one frame each, and one for a blank between two equal labels"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FOLDERS)
def test_a_folder_that_cannot_be_trained_on_is_told_in_a_line(call, tmp_path, name):
    content, message = BAD_FOLDERS[name]
    (tmp_path / name).mkdir()
    (tmp_path / name / "transcripts.tsv").write_text(content)
    for file in "abc" * (name != "none"):
        write_wav(tmp_path / name / f"{file}.wav", tones(["low", "mid"], np.random.default_rng(0)))
    assert message in call("transcribe", "--train", tmp_path / name, "--out", tmp_path / "x").refused()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("transcribe tones", "name .wav files, or a list: --rescore LIST.tsv, and --said"),
        ("transcribe tones missing.wav", "missing.wav: No such file"),
        ("transcribe tones sounds", "sounds: Is a directory"),
        ("transcribe forged others/0.wav", "summary.json must be an object with fields; got []"),
        ("transcribe tones sounds/transcripts.tsv", "transcripts.tsv is no .wav file"),
        ("transcribe tones others/0.wav --n-best 20", "finds at most 10 hypotheses; got --n-best=20"),
        ("transcribe tones others/0.wav --alpha nan", "--alpha must be"),
        ("transcribe tones others/0.wav --lm tones", "tones holds a run of `transcribe`"),
        ("transcribe tones/language others/0.wav", "holds a run of `train`: use it with `sample tones/language`"),
        ("transcribe tones others/0.wav --said s.tsv", "or a list: --rescore LIST.tsv, and --said SAID.tsv with it"),
        ("transcribe tones --rescore bad.tsv", "bad.tsv, line 2: the score must be a number; got 'x'"),
        ("transcribe --stack 100000", "--stack must be at most 100 frames, a second; got 100000"),
        ("transcribe --cepstra 50", "--cepstra must be 0, or at most --num-bands; got 50"),
        ("transcribe --train others/0", "others/0 has no transcripts.tsv"),
        ("evaluate forged", "gone has no transcripts.tsv: its lines are a .wav file, a tab and what is said. If the "
         "data have moved, name them: evaluate forged TEXT"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_a_line(folder, call, arguments, message):
    """forged/ is like a run whose recordings were joined by a program."""
    (folder / "bad.tsv").write_text("a\t-1\tlow\na\tx\tlow\n")
    copytree(folder / "tones", folder / "forged", dirs_exist_ok=True)
    if "summary" in message:
        (folder / "forged" / "summary.json").write_text("[]")
    config = json.loads((folder / "tones" / "config.json").read_text())
    config["data"]["train"] = "gone"
    (folder / "forged" / "config.json").write_text(json.dumps(config))
    assert message in call(*arguments.split()).refused()
