"""What a finished run reports: on the built-in grammar, on other texts, and where its picture cannot be drawn."""

import contextlib
import io
import json
import math
import sys

import numpy as np
import pytest
from run_examples import config_of, train

from numpylm.checkpoint import load_checkpoint, save_checkpoint
from numpylm.commands import console, train_report
from numpylm.commands import train as train_command
from numpylm.commands.console import blas_threads
from numpylm.commands.run import RunDiverged, start_run
from numpylm.commands.task_command import draw_learning_curve, finish
from numpylm.data import grammar
from numpylm.data.corpora import load_corpus
from numpylm.evaluation import perplexity

CHOICES = {"options": {"embedding_dim": 12, "hidden_dim": 16}, "batch_size": 8, "num_steps": 16, "learning_rate": 0.03}
FIELDS = {
    *("task", "model", "parameters", "valid_perplexity", "test_perplexity", "floor_perplexity", "baselines"),
    *("tokens_per_second", "seconds", "peak_memory_mib", "loss_unit", "test_unknown_tokens"),
}


@pytest.fixture(scope="module")
def small_grammar():
    return load_corpus("grammar", grammar_words=(4000, 400, 400))


def use_small_grammar(patch, corpus):
    patch.setattr(train_command, "load_corpus", lambda source, level, split: corpus)
    patch.setattr(train_report, "SAMPLED_TOKENS", {"word": 600, "char": 1500})
    patch.setenv("COLUMNS", "80")


def trained_run(folder, corpus, level="word", **changes):
    with blas_threads(1):
        run = start_run(folder, train_command.KIND, config_of(str(corpus), level=level, **CHOICES | changes))
        assert train(run)
    return run


def summary_of(run):
    return json.loads((run.folder / "summary.json").read_text())


@pytest.fixture(scope="module")
def finished(tmp_path_factory, small_grammar):
    """(run, its Report, the lines of text that were printed) on the grammar."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        use_small_grammar(patch, small_grammar)
        run = trained_run(tmp_path_factory.mktemp("finished") / "run", "grammar")
        with contextlib.redirect_stdout(printed):
            report = finish(run)
    return run, report, printed.getvalue().split("\nSaved in")[0].splitlines()


def test_a_run_on_the_grammar_is_set_beside_the_floor_and_the_baselines(finished):
    _, report, shown = finished
    lines = [line for line in shown if line.startswith("  ")]
    names = [line.split("  ")[1] for line in lines[:6]]
    assert {"unigram", "bigram", "5-gram", "uniform", "floor: no model can be better"} < set(names)
    values = [float(line.split("  ")[-2]) for line in lines[:6] if line.endswith("%")]
    assert values == sorted(values)
    assert names[0] == "floor: no model can be better", "nothing is below the floor"
    assert all(line.endswith("%") for line in lines[1:6])
    assert report.reference["floor"] < report.fields["test_perplexity"] < report.reference["uniform"]
    assert max(map(len, shown)) < 80


def test_sampled_sentences_are_marked_grammatical_or_not(finished):
    run, _, shown = finished
    model = load_checkpoint(run.folder / "best.npz").model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_report, "SAMPLED_TOKENS", {"word": 600, "char": 1500})
        _, sentences = train_report.draw_samples(run, model)
    marked = [line for line in shown if line.startswith(("  ok   ", "  BAD  "))]
    assert len(marked) == min(console.SHOWN, len(sentences)) > 0
    for line, (sentence, right) in zip(marked, sentences, strict=False):
        assert sentence.startswith(line[7:].removesuffix("…"))
        assert (line[2:5].strip() == "ok") == right == grammar.is_grammatical(sentence.split())
    share = np.mean([right for _, right in sentences])
    assert f"  {100 * share:.1f} % of {len(sentences)} sentences are grammatical" in shown
    assert summary_of(run)["grammatical_share"] == share


def test_the_summary_has_what_was_measured(finished, small_grammar):
    run, _, _ = finished
    summary = summary_of(run)
    assert summary.keys() >= FIELDS
    best = load_checkpoint(run.folder / "best.npz").model
    assert summary["test_perplexity"] == perplexity(best, run.data.parts["test"])
    assert summary["parameters"] == sum(array.size for array in best.parameters().values())
    assert summary["floor_perplexity"] == pytest.approx(math.exp(small_grammar.floor["word"]))
    assert summary["valid_perplexity"] == pytest.approx(math.exp(min(run.progress.valid_losses)))
    assert summary["baselines"].keys() == {"uniform", "unigram", "bigram", "5-gram"}
    assert summary["seconds"] > 0 and summary["tokens_per_second"] > 0
    assert summary["steps"] == run.progress.step and summary["epochs"] == 2
    assert (summary["task"], summary["loss_unit"], summary["test_unknown_tokens"]) == ("language", "nats per word", 0)


def test_unknown_words_of_the_test_text_are_counted_and_said(tmp_path, capsys):
    path = tmp_path / "text.txt"
    path.write_text("the cat sees the dog .\n" * 90 + "the zebra sees the gnu .\n" * 10)
    run = trained_run(tmp_path / "run", path, epochs=1)
    finish(run)
    test = run.data.parts["test"]
    unknown = int((test == 0).sum())
    assert unknown > 10, "zebra and gnu"
    assert f"over {len(test) - 1:,} words, {unknown} of them unknown\n" in capsys.readouterr().out
    assert summary_of(run)["test_unknown_tokens"] == unknown


def test_a_text_without_line_ends_is_reported_within_the_width_and_sends_no_control_characters(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "60")
    path = tmp_path / "text.txt"
    path.write_text("so it \x1b[31mgoes on and on and on " * 60)
    run = trained_run(tmp_path / "run", path, level="char", epochs=8)
    finish(run)
    shown = capsys.readouterr().out.split("\n\nSaved in")[0]
    assert "floor" not in shown and shown.count("%") == 1, "but for the share that is guessed right"
    writing = shown.split("The model writes\n")[1].splitlines()
    assert all(len(line) < 60 and line.startswith("  ") for line in writing) and len(writing) > 2
    assert "\x1b" not in shown and r"\x1b" in shown
    assert summary_of(run)["floor_perplexity"] is None


def test_a_test_loss_that_is_not_finite_is_said_after_all_is_saved(finished, tmp_path, capsys):
    run, _, _ = finished
    best = load_checkpoint(run.folder / "best.npz").model
    best.parameters()["W_hy"][0, 0] = np.nan
    broken = run._replace(folder=tmp_path)
    save_checkpoint(tmp_path / "best.npz", best, run.data.vocabulary)
    (tmp_path / "metrics.csv").write_bytes((run.folder / "metrics.csv").read_bytes())
    with pytest.raises(RunDiverged, match=r"loss on the test data is nan .* --learning-rate \(it was 0.03\)"):
        finish(broken)
    assert summary_of(broken)["test_perplexity"] is None and "Saved in" in capsys.readouterr().out


# The picture


@pytest.mark.parametrize("name", ["cost_$5_to_$x^", "圆", "caf\udce9", "\x1b]0;title\x07", "a\nb"])
def test_a_run_never_fails_on_its_picture(finished, tmp_path, name, capsys):
    pytest.importorskip("matplotlib")
    run, report, _ = finished
    (tmp_path / "metrics.csv").write_bytes((run.folder / "metrics.csv").read_bytes())
    run = run._replace(folder=tmp_path, data=run.data._replace(name=name))
    draw_learning_curve(run, report._replace(reference={"$x^": 9.0, "floor": 7.1}))
    assert (tmp_path / "learning_curve.png").stat().st_size > 5000
    err = capsys.readouterr().err
    assert err == "" or (err.startswith("note: learning_curve.png shows boxes") and err.count("\n") == 1)


def test_where_a_picture_cannot_be_drawn_it_is_said_and_all_else_is_reported(finished, tmp_path, capsys, monkeypatch):
    run, report, _ = finished
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        draw_learning_curve(run, report)
    assert "no learning_curve.png: matplotlib is not installed\n" in capsys.readouterr().err
    with monkeypatch.context() as patch:
        patch.setattr("numpylm.plots.plot_losses", lambda *arguments: 1 / 0)
        draw_learning_curve(run, report)
    assert capsys.readouterr().err == "no learning_curve.png: ZeroDivisionError: division by zero\n"

    def full(descriptor):
        raise OSError(28, "No space left on device")

    before = (run.folder / "learning_curve.png").read_bytes()
    monkeypatch.setattr("os.fsync", full)
    draw_learning_curve(run, report)
    assert "learning_curve.png: No space left on device" in capsys.readouterr().err
    assert (run.folder / "learning_curve.png").read_bytes() == before
