"""The evaluate command: a trained model is measured on a text."""

import json
import math
import sys
from importlib import import_module

from numpylm.commands.language import fingerprint, open_corpus, open_verified
from numpylm.commands.language_report import count_unknown
from numpylm.commands.run import RunDiverged
from numpylm.commands.run_config import read_config
from numpylm.commands.run_folder import RunError, finite_or_none, folder_of
from numpylm.commands.trained import add_run_argument, ended, kind_of, load_trained, read_file_or_stdin
from numpylm.data import text
from numpylm.data.printable import on_one_line
from numpylm.data.token_file import TokenFile, is_token_file
from numpylm.evaluation import evaluate

DESCRIPTION = (
    "Perplexity, bits per character and accuracy of a trained model on a text. The text "
    "is read once, in order. Its last line counts as ended, also without a line end. "
    "Of a run of translate, TEXT is a file of pairs, with a tab between a sentence and its translation; of transcribe, "
    "a folder of recordings; of answer, a file of stories."
)


def add_options(parser):
    """RUN [TEXT] [--json]"""
    add_run_argument(parser)
    parser.add_argument(
        "text",
        nargs="?",
        metavar="TEXT",
        help="a UTF-8 file, a token file's test part, or - for standard input (the run's own test text)",
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")


def run(options):
    """numpylm evaluate. Raises RunDiverged, after the numbers are printed, where they are not finite."""
    kind = kind_of(options.trained)
    if kind.name != "language":
        return evaluate_task(kind, options)
    model, vocabulary, _ = load_trained(options.trained)
    tokens, num_characters, name = evaluated_tokens(options, vocabulary)
    if len(tokens) < 2:
        raise ValueError(f"{name} holds {len(tokens)} tokens, where two are needed: one to read and one to predict")
    result = evaluate(model, tokens)
    num_characters = result.num_tokens if vocabulary.level == "char" else num_characters
    unknown = count_unknown(tokens)
    # <unk> does not spell its word: with unknown tokens, bits per character are not defined.
    bits_per_character = result.total_nats / math.log(2) / num_characters if unknown == 0 else None
    if options.json:
        print_json(result, bits_per_character, unknown)
    else:
        print_numbers(result, bits_per_character, unknown, vocabulary.level, name)
    if not math.isfinite(result.perplexity):
        raise RunDiverged(f"the model's loss on {name} is {result.loss:.3g} nats: its numbers overflow on this text")
    return 0


def evaluate_task(kind, options):
    """The measures of a model of another kind, on its own test data or on others."""
    model, vocabulary, _ = load_trained(options.trained, kind.name)
    fields, show = import_module(kind.report).evaluate(model, vocabulary, folder_of(options.trained), options.text)
    if options.json:
        print(json.dumps(fields))
    else:
        show()
    return 0


def print_numbers(result, bits_per_character, unknown, level, name):
    """Prints an Evaluation in lines."""
    bits = "         - (not defined: <unk> has no spelling)"
    bits = bits if bits_per_character is None else f"{bits_per_character:10.4f}"
    print(f"{on_one_line(name)}: {result.num_tokens:,} tokens ({level}s), {unknown:,} of them unknown to the model")
    print(f"  perplexity per token   {result.perplexity:10.3f}")
    print(f"  nats per token         {result.loss:10.4f}")
    print(f"  bits per character     {bits}")
    print(f"  guessed right          {100 * result.accuracy:10.1f} %")


def print_json(result, bits_per_character, unknown):
    """Prints an Evaluation as one line of JSON, with null for what is not finite."""
    numbers = {
        "tokens": result.num_tokens,
        "nats_per_token": finite_or_none(result.loss),
        "perplexity": finite_or_none(result.perplexity),
        "bits_per_character": finite_or_none(bits_per_character),
        "accuracy": result.accuracy,
        "unknown_tokens": unknown,
    }
    print(json.dumps(numbers))


def evaluated_tokens(options, vocabulary):
    """(tokens, number of characters, name) of a text, a token file's test part, or the run's own test part."""
    if options.text is None:
        corpus = own_corpus(options.trained)
    elif options.text != "-" and is_token_file(options.text):
        corpus = open_verified(options.text)
    else:
        content = ended(vocabulary, read_file_or_stdin(options.text))
        name = "standard input" if options.text == "-" else options.text
        return text.encode_stream(vocabulary, content), len(content), name
    name = f"the test text of {corpus.name}"
    if not isinstance(corpus, TokenFile):
        return text.encode_stream(vocabulary, corpus.test), len(corpus.test), name
    if corpus.vocabulary != vocabulary:
        raise ValueError(
            f"{corpus.path} was prepared with another vocabulary than the model's: "
            f"prepare its text again with --vocabulary {options.trained}"
        )
    return corpus.tokens["test"], corpus.characters["test"], name


def own_corpus(trained):
    """The corpus of the run that a folder or a checkpoint belongs to; a change of it is noted."""
    folder = folder_of(trained)
    if not (folder / "config.json").exists():
        raise ValueError(f"name a text to evaluate on: {folder} holds no run whose test text could be taken")
    config = read_config(folder)
    try:
        corpus = open_corpus(config.data)
    except FileNotFoundError as error:
        raise RunError(f"{error}. If the text has moved, name it: evaluate {trained} TEXT") from None
    if fingerprint(corpus) != config.data_sha256:
        print(f"note: {config.data.corpus} is not what it was when the run started", file=sys.stderr)
    return corpus
