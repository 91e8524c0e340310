"""What a finished run reports: on the built-in grammar, on other texts, and without matplotlib."""

import contextlib
import io
import json
import math
import sys
from dataclasses import replace

import pytest

from numpylm.commands import run as runs
from numpylm.commands import run_report as report
from numpylm.commands.console import blas_threads
from numpylm.commands.run import resume_run, start_run
from numpylm.commands.run_folder import RunConfig
from numpylm.data import grammar
from numpylm.data.corpora import load_grammar_corpus
from numpylm.evaluation import perplexity
from numpylm.training import Settings

SETTINGS = Settings(batch_size=8, num_steps=16, epochs=2, learning_rate=0.03)
SIZES = {"embedding_dim": 12, "hidden_dim": 16}
FIELDS = {
    *("model", "parameters", "valid_perplexity", "test_perplexity", "floor_perplexity", "baselines"),
    *("tokens_per_second", "seconds", "peak_memory_mib"),
}


@pytest.fixture(scope="module")
def small_grammar():
    return load_grammar_corpus((4000, 400, 400))


@pytest.fixture
def on_grammar(monkeypatch, small_grammar):
    """The built-in corpus, smaller, and fewer sentences drawn from the model."""
    use_small_grammar(monkeypatch, small_grammar)
    return "grammar"


def use_small_grammar(patch, corpus):
    patch.setattr(runs, "load_corpus", lambda source, level, split: corpus)
    patch.setattr(report, "SAMPLED_TOKENS", {"word": 600, "char": 1500})
    patch.setenv("COLUMNS", "80")


def trained_run(folder, corpus, level="word", settings=SETTINGS):
    with blas_threads(1):
        run = start_run(folder, RunConfig("lstm", SIZES, str(corpus), level, 1, None, settings))
        assert runs.train(run, show_progress=False)
    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory, small_grammar):
    """(run, its RunReport, the lines of text that were printed) on the grammar."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        use_small_grammar(patch, small_grammar)
        run = trained_run(tmp_path_factory.mktemp("finished") / "run", "grammar")
        with contextlib.redirect_stdout(printed):
            result = report.finish(run)
    return run, result, printed.getvalue().split("\nSaved in")[0].splitlines()


def test_a_run_on_the_grammar_is_set_beside_the_floor_and_the_baselines(finished):
    _, result, shown = finished
    lines = [line for line in shown if line.startswith("  ")]
    names = [line.split("  ")[1] for line in lines[:6]]
    assert {"unigram", "bigram", "5-gram", "uniform", "floor: no model can be better"} < set(names)
    values = [float(line[42:54]) for line in lines[:6]]
    assert values == sorted(values)
    assert names[0] == "floor: no model can be better", "nothing is below the floor"
    assert all(line.endswith("%") for line in lines[1:6])
    assert result.floor < result.test.perplexity < result.baselines["uniform"]
    assert max(map(len, shown)) < 80


def test_sampled_sentences_are_marked_grammatical_or_not(finished):
    run, result, shown = finished
    marked = [line for line in shown if line.startswith(("  ok   ", "  BAD  "))]
    assert len(marked) == min(report.SHOWN_SENTENCES, len(result.sentences)) > 0
    for line, (sentence, right) in zip(marked, result.sentences, strict=False):
        assert line[7:].removesuffix("…") == sentence[: len(line[7:].removesuffix("…"))]
        assert line[2:5].strip() == ("ok" if right else "BAD")
        assert right == grammar.is_grammatical(sentence.split())
    right, total = sum(right for _, right in result.sentences), len(result.sentences)
    assert any(line.startswith(f"  {right} of {total} sentences ({100 * right / total:.1f} %)") for line in shown)
    assert json.loads((run.folder / "summary.json").read_text())["grammatical_share"] == right / total


def test_the_summary_has_what_was_measured(finished, small_grammar):
    run, _, _ = finished
    summary = json.loads((run.folder / "summary.json").read_text())
    assert summary.keys() >= FIELDS
    best = report.load_checkpoint(run.folder / "best.npz").model
    assert summary["test_perplexity"] == perplexity(best, run.tokens["test"])
    assert summary["parameters"] == sum(array.size for array in best.parameters().values())
    assert summary["floor_perplexity"] == pytest.approx(math.exp(small_grammar.floor["word"]))
    assert summary["valid_perplexity"] == pytest.approx(math.exp(min(run.progress.valid_losses)))
    assert summary["baselines"].keys() == {"uniform", "unigram", "bigram", "5-gram"}
    assert summary["seconds"] > 0 and summary["tokens_per_second"] > 0
    assert summary["steps"] == run.progress.step and summary["epochs"] == 2


def test_a_model_that_ends_no_sentence_is_shown_by_the_beginning_of_its_text(on_grammar, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(report, "generate", lambda model, start, number, rng: report.np.full(number, 2))
    run = trained_run(tmp_path / "run", on_grammar, level="char", settings=replace(SETTINGS, epochs=1))
    result = report.finish(run)
    assert result.sentences == [] and len(result.sample) == report.SHOWN_TOKENS["char"]
    assert json.loads((run.folder / "summary.json").read_text())["grammatical_share"] is None
    assert max(map(len, capsys.readouterr().out.split("\nSaved in")[0].splitlines())) < 80


def test_a_text_without_line_ends_is_reported_without_floor_and_within_the_width(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    path = tmp_path / "text.txt"
    path.write_text("so it goes on and on and on " * 60)
    run = trained_run(tmp_path / "run", path, level="char")
    result = report.finish(run)
    assert result.floor is None and result.sentences == []
    shown = capsys.readouterr().out.split("\n\nSaved in")[0]
    assert "floor" not in shown and shown.count("%") == 1, "but for the share that is guessed right"
    writing = shown.split("The model writes\n")[1].splitlines()
    assert all(len(line) < 60 and line.startswith("  ") for line in writing) and len(writing) > 2
    summary = json.loads((run.folder / "summary.json").read_text())
    assert summary["floor_perplexity"] is None and summary["grammatical_share"] is None


def test_without_matplotlib_all_else_is_reported_and_the_picture_can_be_drawn_later(
    on_grammar, tmp_path, capsys, monkeypatch
):
    run = trained_run(tmp_path / "run", on_grammar, settings=replace(SETTINGS, epochs=1))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        report.finish(run)
    shown = capsys.readouterr()
    assert "no learning_curve.png: matplotlib is not installed" in shown.err
    assert (run.folder / "summary.json").exists() and not (run.folder / "learning_curve.png").exists()
    pytest.importorskip("matplotlib")
    first = json.loads((run.folder / "summary.json").read_text())
    report.finish(resume_run(run.folder))
    assert (run.folder / "learning_curve.png").exists()
    again = json.loads((run.folder / "summary.json").read_text())
    assert {**first, "peak_memory_mib": 0} == {**again, "peak_memory_mib": 0}


def test_where_the_system_does_not_say_the_memory_is_null(monkeypatch):
    assert report.peak_memory_mib() is None or 10 < report.peak_memory_mib() < 100_000
    monkeypatch.setitem(sys.modules, "resource", None)
    assert report.peak_memory_mib() is None


def test_shares_above_the_floor():
    assert report.above_floor(12.0, 10.0).split() == ["+20.0", "%"]
    assert report.above_floor(10.0, 10.0) == report.above_floor(12.0, None) == ""
