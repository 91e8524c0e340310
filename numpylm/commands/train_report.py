"""What a language model does on a text: perplexity against the floor and the baselines, and what it writes."""

import math
from statistics import fmean

import numpy as np

from numpylm.commands import console
from numpylm.commands.console import percent
from numpylm.commands.run_folder import Report
from numpylm.commands.train import CorpusChoices, open_corpus
from numpylm.commands.trained import ended, read_file_or_stdin
from numpylm.data import grammar, text
from numpylm.data.corpora import GRAMMAR
from numpylm.data.ngrams import MOST_TOKENS, baseline_perplexities
from numpylm.data.printable import on_one_line
from numpylm.data.token_file import is_token_file
from numpylm.evaluation import evaluate as evaluate_tokens
from numpylm.evaluation import safe_exp
from numpylm.generation import generate
from numpylm.kinds.language_task import UNITS

SAMPLED_TOKENS = {"word": 8000, "char": 30000}  # for the share of grammatical sentences
SHOWN_TOKENS = {"word": 60, "char": 300}
STREAMED_TOKENS = 2**20  # of a token file: the n-grams of its beginning take 200 MiB or less


def report(run, model):
    """Measures the model on the test text, prints what came out, and returns the Report."""
    tokens, corpus, level = run.data.parts, run.data.source, run.config.data.level
    test = evaluate_tokens(model, tokens["test"])
    unknown = len(tokens["test"]) - int(np.count_nonzero(tokens["test"]))
    most_tokens = STREAMED_TOKENS if corpus.path else MOST_TOKENS
    baselines = baseline_perplexities(tokens["train"], tokens["test"], len(run.data.vocabulary), most_tokens)
    floor = {} if corpus.floor is None else {"floor": safe_exp(corpus.floor[level])}
    counted = f"over {test.num_tokens:,} {UNITS[level]}s" + (f", {unknown:,} of them unknown" if unknown else "")
    num_parameters = sum(array.size for array in model.parameters().values())
    this = f"this {model.cell.name.upper()} ({num_parameters:,} parameters)"
    rows = among(baselines | {this: test.perplexity}, **floor)
    table = f"Test perplexity per {UNITS[level]}, {counted}", (), rows
    console.print_table(*table)
    print(f"  = {test.loss:.4f} nats or {test.bits_per_token:.4f} bits per {UNITS[level]}", end="")
    print(f"; {percent(test.accuracy)} guessed right")
    fields = {
        "corpus": run.config.data.corpus,
        "level": level,
        "vocabulary": len(run.data.vocabulary),
        "valid_perplexity": safe_exp(min(run.progress.valid_losses)),
        "test_perplexity": test.perplexity,
        "test_nats_per_token": test.loss,
        "test_unknown_tokens": unknown,
        "floor_perplexity": floor.get("floor"),
        "baselines": baselines,
        "grammatical_share": write(run, model) if np.isfinite(test.loss) else None,
    }
    return Report(fields, table, test.loss, floor | baselines)


def among(perplexities, floor=None):
    """The rows of a table of perplexities, the lowest first; with per cents above the floor, if it is known."""
    found = perplexities | ({} if floor is None else {"floor: no model can be better": floor})
    rows = {name: [f"{value:.3f}"] for name, value in sorted(found.items(), key=lambda one: one[1])}
    for name, row in rows.items() if floor else ():
        row.append("" if found[name] == floor else f"{100 * (found[name] / floor - 1):+.1f} %")
    return rows


def write(run, model):
    """Prints what the model writes. On the built-in corpus, returns the share of its sentences that are grammatical."""
    beginning, sentences = draw_samples(run, model)
    if not sentences:
        print("\nThe model writes")
        for line in beginning.split("\n"):
            console.print_filled(on_one_line(line))
        return None
    console.print_examples("The model writes", [[("ok" if right else "BAD", line)] for line, right in sentences])
    share = fmean(right for _, right in sentences)
    print(f"  {percent(share)} of {len(sentences)} sentences are grammatical")
    return share


def draw_samples(run, model):
    """The beginning of a text that the model wrote; and, on the built-in corpus, its sentences, each a pair (sentence,
    whether it is grammatical)."""
    vocabulary, level = run.data.vocabulary, run.config.data.level
    on_grammar = run.config.data.corpus == GRAMMAR
    line_end = text.stream_start(vocabulary)
    start = 1 if line_end is None else line_end  # without line ends: the most frequent character
    num_tokens = (SAMPLED_TOKENS if on_grammar else SHOWN_TOKENS)[level]
    rng = np.random.default_rng([run.config.settings.seed, 2])
    tokens = generate(model, [start], num_tokens, rng=rng, exclude=[0])  # <unk> is no text
    complete = text.decode(vocabulary, tokens).split("\n")[:-1] if on_grammar else []
    beginning = text.decode(vocabulary, tokens[: SHOWN_TOKENS[level]])
    return beginning, [(line, grammar.is_grammatical(line.split())) for line in complete]


def evaluate(model, vocabulary, folder, options, own):
    """The Report of a text, of a token file's test part, or of the run's own: run_folder.py."""
    tokens, num_characters, name = evaluated_tokens(vocabulary, options, own)
    if len(tokens) < 2:
        raise ValueError(f"{name} holds {len(tokens)} tokens, where two are needed: one to read and one to predict")
    result = evaluate_tokens(model, tokens)
    unknown = len(tokens) - int(np.count_nonzero(tokens))
    num_characters = result.num_tokens if vocabulary.level == "char" else num_characters
    # <unk> does not spell its word: with unknown tokens, bits per character are not defined.
    bits = None if unknown else result.total_nats / math.log(2) / num_characters
    fields = {
        "tokens": result.num_tokens,
        "nats_per_token": result.loss,
        "perplexity": result.perplexity,
        "bits_per_character": bits,
        "accuracy": result.accuracy,
        "unknown_tokens": unknown,
    }
    title = f"{name}: {result.num_tokens:,} tokens ({vocabulary.level}s), {unknown:,} of them unknown to the model"
    rows = {
        "perplexity per token": [f"{result.perplexity:.3f}"],
        "nats per token": [f"{result.loss:.4f}"],
        "bits per character": ["not defined with <unk>" if unknown else f"{bits:.4f}"],
        "guessed right": [percent(result.accuracy)],
    }
    return Report(fields, (title, (), rows), result.loss)


def evaluated_tokens(vocabulary, options, own):
    """(tokens, number of characters, name) of a text, a token file's test part, or the run's own test part."""
    if own is not None:
        corpus = own.source
    elif options.text != "-" and is_token_file(options.text):
        corpus = open_corpus(CorpusChoices(options.text))
    else:
        content = ended(vocabulary, read_file_or_stdin(options.text))
        name = "standard input" if options.text == "-" else options.text
        return text.encode_stream(vocabulary, content), len(content), name
    name = f"the test text of {corpus.name}"
    if corpus.vocabulary != vocabulary:
        raise ValueError(
            f"{corpus.path} was prepared with another vocabulary than the model's: "
            f"prepare its text again with --vocabulary {options.trained}"
        )
    return corpus.tokens["test"], corpus.characters["test"], name
