"""What a finished run reports: perplexity against the floor and the baselines, samples, and where things were saved."""

import sys
import textwrap
from typing import NamedTuple

import numpy as np

from numpylm import plots
from numpylm.checkpoint import load_checkpoint
from numpylm.commands.console import cut, program, quoted, terminal_width
from numpylm.commands.metrics import read_metrics
from numpylm.commands.run_folder import finite_or_none, write_json
from numpylm.data import grammar
from numpylm.data.corpora import GRAMMAR
from numpylm.data.ngrams import MOST_TOKENS, baseline_perplexities
from numpylm.data.text import decode, stream_start
from numpylm.data.token_file import TokenFile
from numpylm.evaluation import Evaluation, evaluate, safe_exp
from numpylm.generation import generate

SAMPLED_TOKENS = {"word": 8000, "char": 30000}  # for the share of grammatical sentences
SHOWN_SENTENCES = 8
SHOWN_TOKENS = {"word": 60, "char": 300}
STREAMED_TOKENS = 2**20  # of a token file, so many are sorted for n-grams, in 200 MiB or less
UNITS = {"word": "word", "char": "character"}


class RunReport(NamedTuple):
    """What is known at a run's end. floor is a perplexity, or None; sentences are (text, grammatical) pairs."""

    test: Evaluation
    baselines: dict
    floor: float | None
    sample: str
    sentences: list


def finish(run):
    """Evaluates the best model on the test text, prints the report, and writes summary.json and the learning curve."""
    model = load_checkpoint(run.folder / "best.npz").model
    print("measuring on the test text, and the baselines …", file=sys.stderr)
    test = evaluate(model, run.tokens["test"])
    most_tokens = STREAMED_TOKENS if isinstance(run.corpus, TokenFile) else MOST_TOKENS
    baselines = baseline_perplexities(run.tokens["train"], run.tokens["test"], len(run.vocabulary), most_tokens)
    floor = None if run.corpus.floor is None else safe_exp(run.corpus.floor[run.config.level])
    sample, sentences = draw_samples(run, model)
    report = RunReport(test, baselines, floor, sample, sentences)
    print_report(run, model, report)
    write_json(run.folder / "summary.json", summary(run, model, report))
    draw_learning_curve(run, report)
    print_where(run)
    return report


def draw_samples(run, model):
    """The beginning of a text that the model wrote; and, on the built-in corpus, its sentences, each a pair (sentence,
    whether it is grammatical)."""
    on_grammar, level = run.config.corpus == GRAMMAR, run.config.level
    start = stream_start(run.vocabulary)
    start = 1 if start is None else start  # without line ends: the most frequent character
    num_tokens = (SAMPLED_TOKENS if on_grammar else SHOWN_TOKENS)[level]
    rng = np.random.default_rng([run.config.settings.seed, 2])
    tokens = generate(model, [start], num_tokens, rng=rng)
    complete = decode(run.vocabulary, tokens).split("\n")[:-1] if on_grammar else []
    beginning = decode(run.vocabulary, tokens[: SHOWN_TOKENS[level]])
    return beginning, [(line, grammar.is_grammatical(line.split())) for line in complete]


def print_report(run, model, report):
    """Prints perplexities and samples."""
    unit, test = UNITS[run.config.level], report.test
    print(f"\nTest perplexity per {unit}, over {test.num_tokens:,} {unit}s")
    table = {f"this {model.cell.name.upper()} ({count_parameters(model):,} parameters)": test.perplexity}
    table.update(report.baselines)
    if report.floor is not None:
        table["floor: no model can be better"] = report.floor
    for label, perplexity in sorted(table.items(), key=lambda entry: entry[1]):
        print(f"  {label:<40}{perplexity:12.3f}{above_floor(perplexity, report.floor)}")
    print(f"  = {test.loss:.4f} nats or {test.bits_per_token:.4f} bits per {unit}", end="")
    print(f"; {100 * test.accuracy:.1f} % guessed right")
    print_samples(report)


def above_floor(perplexity, floor):
    """How far a perplexity is above the floor, in percent; nothing for the floor itself, or where there is none."""
    if floor is None or perplexity == floor:
        return ""
    return f"{100 * (perplexity / floor - 1):+10.1f} %"


def print_samples(report):
    """Prints what the model writes."""
    print("\nThe model writes")
    if not report.sentences:
        for line in report.sample.split("\n"):
            print(textwrap.fill(line, terminal_width() - 1, initial_indent="  ", subsequent_indent="  "))
        return
    for line, grammatical in report.sentences[:SHOWN_SENTENCES]:
        print(cut(f"  {'ok ' if grammatical else 'BAD'}  {line}", terminal_width() - 1))
    right = sum(grammatical for _, grammatical in report.sentences)
    print(f"  {right} of {len(report.sentences)} sentences ({100 * grammatical_share(report):.1f} %) are grammatical")


def grammatical_share(report):
    """Share of the sampled sentences that are grammatical, None where there are none to judge."""
    if not report.sentences:
        return None
    return sum(grammatical for _, grammatical in report.sentences) / len(report.sentences)


def summary(run, model, report):
    """The fields of summary.json; perplexities per token of the level, seconds of training, MiB at the peak."""
    progress = run.progress
    return {
        "model": model.cell.name,
        "parameters": count_parameters(model),
        "corpus": run.config.corpus,
        "level": run.config.level,
        "vocabulary": len(run.vocabulary),
        "epochs": progress.epoch,
        "steps": progress.step,
        "valid_perplexity": finite_or_none(safe_exp(min(progress.valid_losses))),
        "test_perplexity": finite_or_none(report.test.perplexity),
        "test_nats_per_token": finite_or_none(report.test.loss),
        "floor_perplexity": report.floor,
        "baselines": report.baselines,
        "grammatical_share": grammatical_share(report),
        "tokens_per_second": round(progress.tokens / progress.step_seconds) if progress.step_seconds else None,
        "seconds": round(progress.seconds, 2),
        "peak_memory_mib": peak_memory_mib(),
    }


def draw_learning_curve(run, report):
    """Draws learning_curve.png, or says that matplotlib is missing."""
    reference = report.baselines if report.floor is None else {"floor": report.floor, **report.baselines}
    title = f"{run.config.model.upper()} on {cut(run.corpus.name, 40)}, by {UNITS[run.config.level]}s"
    rows = read_metrics(run.folder / "metrics.csv")
    try:
        plots.learning_curve(run.folder / "learning_curve.png", rows, reference, title, UNITS[run.config.level])
    except ImportError:
        print("no learning_curve.png: matplotlib is not installed", file=sys.stderr)


def print_where(run):
    """Prints what was saved, and how to go on."""
    names = sorted(path.name for path in run.folder.iterdir() if not path.name.startswith("."))
    print(f"\nSaved in {run.folder}:")
    print(textwrap.fill(", ".join(names), terminal_width() - 1, initial_indent="  ", subsequent_indent="  "))
    print(f"Let it write more with\n  {program()} sample {quoted(run.folder)}")


def count_parameters(model):
    """How many numbers the model learns."""
    return sum(array.size for array in model.parameters().values())


def peak_memory_mib():
    """The process's largest resident memory so far in MiB; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)
