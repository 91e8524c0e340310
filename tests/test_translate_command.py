"""The translate command: trained on the built-in pairs and on files, resumed, used, measured, exported."""

import json
from importlib.util import find_spec
from shutil import copytree
from types import SimpleNamespace

import numpy as np
import pytest
from calls import call_in, output_in
from processes import run_numpylm

import numpylm as nlm
from numpylm.commands import translation_report
from numpylm.commands.run_folder import RunConfig
from numpylm.commands.translate import KIND, TranslationData, TranslationModel
from numpylm.data.pairs import BANDS, Pair
from numpylm.kinds.translation_task import TranslationSettings

HAS_BLEU = find_spec("sacrebleu") is not None  # of requirements-dev.txt
SMALL = "--num-pairs 400 --epochs 2 -D 8 -H 16 --out"
WORDS = {"a": "X", "b": "Y", "c": "Z"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a small run on the built-in pairs, runs/, and pairs in files, a word for a word."""
    folder = tmp_path_factory.mktemp("translate")
    status, out, err = run_numpylm("translate", *SMALL.split(), "small", folder=folder)
    assert status == 0, err
    (folder / "small.out").write_text(out, encoding="utf-8")
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(list(WORDS), rng.integers(2, 6))) for _ in range(300)]
    translated = [" ".join(WORDS[word] for word in line.split()) for line in lines]
    (folder / "pairs.tsv").write_text(
        "".join(f"{s}\t{t}\n" for s, t in zip(lines, translated, strict=True)), encoding="utf-8"
    )
    (folder / "a.src").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "a.tgt").write_text("\n".join(translated) + "\n", encoding="utf-8")
    (folder / "short.tgt").write_text("X\n", encoding="utf-8")
    copytree(folder / "small", folder / "mixed")
    vocabulary = nlm.build_vocabulary("a b", "word")
    nlm.save_checkpoint(folder / "mixed" / "best.npz", nlm.LSTMLM(len(vocabulary), 2, 2), vocabulary)
    return folder


def summary_of(folder, run):
    return json.loads((folder / run / "summary.json").read_text())


def test_a_run_says_what_it_does_shows_unseen_sentences_and_keeps_its_numbers(folder):
    out = (folder / "small.out").read_text(encoding="utf-8")
    for expected in (
        "corpus  the built-in English and Chinese: 400 train, 500 valid, 500 test pairs\n",
        "tokens  104 source words, 84 target words\n",
        "model   GRU encoder-decoder, D=8, H=16, L=1, attention dot, bidirectional, N=64\n",
        "epoch 2/2: train perplexity ",
        "  perplexity per target token, reading the true target ",
        "  BAD    ",
        "  right  ",
        "  grammatical Chinese ",
        "  of nesting depth 0 ",
        "translate small",
    ):
        assert expected in out, expected
    files = {path.name for path in (folder / "small").iterdir()}
    assert {"attention.png", "best.npz", "last.npz", "metrics.csv", "summary.json", "learning_curve.png"} <= files
    assert "target word" in (folder / "small" / "metrics.csv").read_text()
    summary = summary_of(folder, "small")
    for name in ("exact_match", "test_perplexity", "seconds", "parameters", "peak_memory_mib"):
        assert isinstance(summary[name], (int, float)), name
    assert isinstance(summary["bleu"], float) if HAS_BLEU else summary["bleu"] is None
    assert summary["exact_match_without_attention"] is None, "the stored one is of other choices"
    assert summary["loss_unit"] == "nats per target word"
    assert list(summary["exact_match_by_length"]) == ["1-20 words", "21-30 words", "31-40 words"]


@pytest.mark.parametrize(("choices", "share"), [({}, 0.718), ({"hidden_dim": 64}, None), ({"score": "none"}, 0.5)])
def test_the_stored_share_without_attention_stands_beside_a_run_of_the_same_choices(monkeypatch, choices, share):
    found = [[("那只猫睡觉。", None)]]
    monkeypatch.setattr(translation_report, "translate_lines", lambda model, vocabularies, lines, width: found)
    config = RunConfig("translation", TranslationModel(**choices), TranslationSettings(), TranslationData())
    pair = Pair("the cat sleeps .", "那 只 猫 睡觉 。")
    data = SimpleNamespace(vocabulary=None, parts={"test": [pair] * 2, **{name: [pair] for name in BANDS}})
    run = SimpleNamespace(kind=KIND, config=config, data=data)
    found = translation_report.built_in_fields(run, None, [pair.target, "猫 。"], [True, False])
    assert (found["exact_match_without_attention"], found["grammatical_share"]) == (share, 0.5)
    assert found["exact_match_by_length"] == {"1-20 words": 0.5, "21-30 words": 0, "31-40 words": 0}
    assert found["exact_match_by_depth"] == {"0": 0.5}


def test_it_learns_from_each_form_of_pairs_and_translates_with_what_it_learnt(folder):
    options = "-D 16 -H 32 --epochs 30 -N 16 --learning-rate 0.01 --out"
    out = output_in(folder, "translate", "--train", "pairs.tsv", *options.split(), "words")
    assert "corpus  pairs.tsv: " in out and "grammatical" not in out
    summary = summary_of(folder, "words")
    assert summary["exact_match"] > 0.8 and summary["exact_match_without_attention"] is None
    assert summary["bleu"] > 90 if HAS_BLEU else summary["bleu"] is None
    by_characters = ["--source-level", "char", "--target-level", "char", "--epochs", "1", "-D", "4", "-H", "4"]
    out = output_in(folder, *["translate", "--source", "a.src", "--target", "a.tgt", "--out", "chars"], *by_characters)
    assert "tokens  6 source characters, 6 target characters" in out  # <unk>, the line's end, a space, and the letters
    assert output_in(folder, "translate", "words", *["a", "b", "c"]) == "X Y Z\n"
    assert output_in(folder, "translate", "words", "b") == "Y\n"  # one word that names no file
    assert output_in(folder, "translate", "words", "a b " * 100, "--beam", "1")  # longer than a file's name may be
    assert output_in(folder, "translate", "words", "-", stdin=b"a c\nb b a\n") == "X Z\nY Y X\n"
    (folder / "text.txt").write_text("c a\n")
    picture = ["--attention", "alpha.png"]
    best = output_in(folder, "translate", "words", "text.txt", "--n-best", "2", "--beam", "3", *picture).splitlines()
    assert best[0].split()[1:] == ["Z", "X"] and float(best[0].split()[0]) > float(best[1].split()[0])
    assert (folder / "alpha.png").stat().st_size > 5000
    status, out, err = call_in(folder, "translate", "words", "a q a")
    assert status == 0 and "the model does not know 'q'" in err


def test_evaluate_measures_pairs_of_its_own_and_of_files(folder):
    own = json.loads(output_in(folder, "evaluate", "small", "--json"))
    summary = summary_of(folder, "small")
    assert (own["pairs"], own["test_perplexity"]) == (500, pytest.approx(summary["test_perplexity"]))
    (folder / "one.tsv").write_text("the cat sleeps .\t那 只 猫 睡觉 。\n", encoding="utf-8")
    assert "Test pairs: 1, of 6 target words\n" in output_in(folder, "evaluate", "small", "one.tsv")
    (folder / "only_test").mkdir()
    for side in ("src", "tgt"):
        (folder / "only_test" / f"test.{side}").write_bytes((folder / f"a.{side}").read_bytes())
    numbers = [
        json.loads(output_in(folder, "evaluate", "words", *files, "--json"))
        for files in (
            ("pairs.tsv",),
            ("--source", "a.src", "--target", "a.tgt"),
            ("only_test", "--source", "src", "--target", "tgt"),
        )
    ]
    assert numbers[0] == numbers[1] == numbers[2] and numbers[0]["pairs"] == 300
    assert numbers[0]["bleu"] > 90 if HAS_BLEU else numbers[0]["bleu"] is None


def test_evaluate_notes_that_a_runs_own_pairs_have_changed(folder):
    copytree(folder / "small", folder / "changed")
    config = json.loads((folder / "small" / "config.json").read_text())
    (folder / "changed" / "config.json").write_text(json.dumps(config | {"data_sha256": "other"}))
    note = "note: the built-in English and Chinese is not what it was when the run started\n"
    assert [call_in(folder, "evaluate", run, "--json")[2] for run in ("small", "changed")] == ["", note]


def test_a_picture_that_cannot_be_drawn_is_told_before_anything_is_translated(folder, call, monkeypatch):
    monkeypatch.setattr(translation_report, "find_spec", lambda name: None)
    message = call("translate", "small", "the cat", "--attention", "alpha2.png").refused()
    assert "--attention needs matplotlib, which is not installed" in message


def test_info_and_export_know_the_model(folder):
    out = output_in(folder, "info", "small")
    assert "translation model" in out and "encoder.forwards_W_x" in out and "vocabulary of the target" in out
    torch = pytest.importorskip("torch")
    out = output_in(folder, "export", "small", "--to", "weights.npz")
    names = {"torch": torch, "np": np}
    module = out[out.index('"""The encoder-decoder') : out.rindex("network = Translator(")]
    exec(module, names)  # as somebody would who copied it
    loading = out[out.rindex("network = Translator(") :].replace("'weights.npz'", repr(str(folder / "weights.npz")))
    exec(loading, names)
    assert names["network"].fc.out_features == 84


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("translate small --epochs 3", "translate RUN uses a trained run: leave out --epochs"),
        ("translate --beam 3", "--beam is for a trained run: translate RUN"),
        ("translate small missing.txt", "there is no file missing.txt"),
        ("translate small a.tgt --beam 100000000", "--beam must be an integer from 1 to 1000; got 100000000"),
        ("translate small a.tgt --length-penalty 1e308", "--length-penalty must lie in 0..10; got 1e+308"),
        ("translate mixed a.tgt", "best.npz is of a run of `train`, but config.json beside it of `translate`"),
        ("info mixed", "best.npz is of a run of `train`, but config.json beside it of `translate`"),
        ("translate --resume mixed", "best.npz is of a run of `train`, but config.json beside it of `translate`"),
        ("translate small a.tgt --n-best 9", "a beam of width 5 finds at most 5 hypotheses; got --n-best=9"),
        ("translate --source a.src --target short.tgt", "line 2 is the first without a partner"),
        ("evaluate small --source a.src --target short.tgt", "line 2 is the first without a partner"),
        ("evaluate small --source a.src", "--source and --target belong together: give both"),
        ("evaluate small a.src", "a.src, line 1: expected a sentence, a tab and its translation; got '"),
        ("evaluate small -", "standard input can hold a text for a run of `train` alone; small is"),
        ("translate --num-pairs 1000000000", "--num-pairs must be an integer from 1 to 1,000,000; got 1000000000"),
        ("translate --source a.src", "--source and --target belong together: give both"),
        ("translate --train pairs.tsv --longest 1 --out x", "every training pair is longer than 1 tokens"),
        ("translate -H 5", "H must be even; got --hidden-dim=5"),
        ("translate --resume small -H 8", "leave out --hidden-dim"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(folder, call, arguments, message):
    assert message in call(*arguments.split()).refused()
