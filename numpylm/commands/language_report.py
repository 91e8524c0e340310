"""What a finished run of a language model reports: perplexity against the floor and the baselines, and samples."""

import sys
import textwrap
from typing import NamedTuple

import numpy as np

from numpylm.commands.console import cut, terminal_width
from numpylm.commands.kind import Report
from numpylm.commands.run_folder import finite_or_none
from numpylm.commands.run_report import count_parameters
from numpylm.data import grammar
from numpylm.data.corpora import GRAMMAR
from numpylm.data.ngrams import MOST_TOKENS, baseline_perplexities
from numpylm.data.printable import on_one_line
from numpylm.data.text import decode, stream_start
from numpylm.data.token_file import TokenFile
from numpylm.evaluation import Evaluation, evaluate, safe_exp
from numpylm.generation import generate
from numpylm.language_task import UNITS

SAMPLED_TOKENS = {"word": 8000, "char": 30000}  # for the share of grammatical sentences
SHOWN_SENTENCES = 8
SHOWN_TOKENS = {"word": 60, "char": 300}
STREAMED_TOKENS = 2**20  # of a token file: the n-grams of its beginning take 200 MiB or less


class Measured(NamedTuple):
    """The best model on the test text. floor is a perplexity, or None; sentences are (text, grammatical) pairs."""

    test: Evaluation
    unknown: int
    baselines: dict
    floor: float | None
    sample: str
    sentences: list


def report(run, model):
    """Measures the model on the test text, prints what came out, and returns the Report."""
    print("measuring on the test text, and the baselines …", file=sys.stderr)
    measured = measure(run, model)
    print_perplexities(run, model, measured)
    print_samples(measured)
    level = run.config.data.level
    title = f"{run.config.model.model.upper()} on {cut(run.data.name, 40)}, by {UNITS[level]}s"
    reference = {} if measured.floor is None else {"floor": measured.floor}
    return Report(summary(run, measured), title, reference | measured.baselines, measured.test.loss, "sample")


def measure(run, model):
    """The Measured of a model."""
    tokens, corpus, level = run.data.tokens, run.data.corpus, run.config.data.level
    test = evaluate(model, tokens["test"])
    most_tokens = STREAMED_TOKENS if isinstance(corpus, TokenFile) else MOST_TOKENS
    baselines = baseline_perplexities(tokens["train"], tokens["test"], len(run.data.vocabulary), most_tokens)
    floor = None if corpus.floor is None else safe_exp(corpus.floor[level])
    sample, sentences = ("", []) if not np.isfinite(test.loss) else draw_samples(run, model)
    return Measured(test, count_unknown(tokens["test"]), baselines, floor, sample, sentences)


def count_unknown(tokens):
    """How many tokens of a stream (S,) are <unk>."""
    return len(tokens) - int(np.count_nonzero(tokens))


def draw_samples(run, model):
    """The beginning of a text that the model wrote; and, on the built-in corpus, its sentences, each a pair (sentence,
    whether it is grammatical)."""
    on_grammar, level = run.config.data.corpus == GRAMMAR, run.config.data.level
    start = stream_start(run.data.vocabulary)
    start = 1 if start is None else start  # without line ends: the most frequent character
    num_tokens = (SAMPLED_TOKENS if on_grammar else SHOWN_TOKENS)[level]
    rng = np.random.default_rng([run.config.settings.seed, 2])
    tokens = generate(model, [start], num_tokens, rng=rng, exclude=[0])  # <unk> is no text
    complete = decode(run.data.vocabulary, tokens).split("\n")[:-1] if on_grammar else []
    beginning = decode(run.data.vocabulary, tokens[: SHOWN_TOKENS[level]])
    return beginning, [(line, grammar.is_grammatical(line.split())) for line in complete]


def print_perplexities(run, model, measured):
    """Prints the model's perplexity among those of the baselines."""
    unit, test = UNITS[run.config.data.level], measured.test
    unknown = f", {measured.unknown:,} of them unknown" if measured.unknown else ""
    print(f"\nTest perplexity per {unit}, over {test.num_tokens:,} {unit}s{unknown}")
    table = {f"this {model.cell.name.upper()} ({count_parameters(model):,} parameters)": test.perplexity}
    table.update(measured.baselines)
    if measured.floor is not None:
        table["floor: no model can be better"] = measured.floor
    for label, perplexity in sorted(table.items(), key=lambda entry: entry[1]):
        print(f"  {label:<40}{perplexity:12.3f}{above_floor(perplexity, measured.floor)}")
    print(f"  = {test.loss:.4f} nats or {test.bits_per_token:.4f} bits per {unit}", end="")
    print(f"; {100 * test.accuracy:.1f} % guessed right")


def above_floor(perplexity, floor):
    """How far a perplexity is above the floor, in percent; nothing for the floor itself, or where there is none."""
    if floor is None or perplexity == floor:
        return ""
    return f"{100 * (perplexity / floor - 1):+10.1f} %"


def print_samples(measured):
    """Prints what the model writes."""
    if not measured.sample:
        return
    print("\nThe model writes")
    if not measured.sentences:
        for line in measured.sample.split("\n"):
            line = on_one_line(line)
            print(textwrap.fill(line, terminal_width() - 1, initial_indent="  ", subsequent_indent="  "))
        return
    for line, grammatical in measured.sentences[:SHOWN_SENTENCES]:
        print(cut(f"  {'ok ' if grammatical else 'BAD'}  {on_one_line(line)}", terminal_width() - 1))
    right = sum(grammatical for _, grammatical in measured.sentences)
    share = 100 * grammatical_share(measured)
    print(f"  {right} of {len(measured.sentences)} sentences ({share:.1f} %) are grammatical")


def grammatical_share(measured):
    """Share of the sampled sentences that are grammatical, None where there are none to judge."""
    if not measured.sentences:
        return None
    return sum(grammatical for _, grammatical in measured.sentences) / len(measured.sentences)


def summary(run, measured):
    """The fields of summary.json that only a language model has; perplexities per token of the level."""
    return {
        "corpus": run.config.data.corpus,
        "level": run.config.data.level,
        "vocabulary": len(run.data.vocabulary),
        "valid_perplexity": finite_or_none(safe_exp(min(run.progress.valid_losses))),
        "test_perplexity": finite_or_none(measured.test.perplexity),
        "test_nats_per_token": finite_or_none(measured.test.loss),
        "test_unknown_tokens": measured.unknown,
        "floor_perplexity": measured.floor,
        "baselines": measured.baselines,
        "grammatical_share": grammatical_share(measured),
    }
