"""The look command: what a trained language model has learned."""

import json
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import numpy as np

from numpylm import plots, require
from numpylm.commands.console import terminal_width
from numpylm.commands.evaluate import evaluated_tokens
from numpylm.commands.look_report import print_grammar, print_side_by_side, print_text
from numpylm.commands.trained import checkpoint_path, ended, load_trained, note_unknown, read_file_or_stdin
from numpylm.data.printable import visible
from numpylm.data.text import encode_stream
from numpylm.evaluation import surprisals
from numpylm.probing import pictures
from numpylm.probing.ablation import measure_ablation
from numpylm.probing.attribution import measure_attribution
from numpylm.probing.reading import read, unit_names, units_of
from numpylm.probing.sentences import draw_sentences, knows_grammar
from numpylm.probing.units import measure_units

DESCRIPTION = (
    "What a language model has learned. On the built-in grammar, where number, nesting, "
    "quotation and distance are known at every word: which units tell them, what becomes "
    "of the verb when units are switched off, and which words its logits depend on. "
    "Several runs are shown side by side. On a TEXT of yours: surprisal, a heat map of the "
    "units, and where a unit is most active. Tables are printed, pictures are drawn."
)
USAGE = "python -m numpylm look RUN [RUN …] [TEXT] [options]"
LONGEST = 2000  # tokens of a text that are read
DRAWN = 60  # tokens of the heat map
FEWEST = 100  # sentences


def add_options(parser):
    """The runs, the text, and what to do with the results."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder or a checkpoint; at last, a text: a "
                        "UTF-8 file, or - for standard input (the built-in grammar)")  # fmt: skip
    parser.add_argument("--unit", metavar="NAME", help="show where this unit, such as h12, is most active on the text "
                        "(the one that varies most)")  # fmt: skip
    parser.add_argument("--sentences", type=int, default=1000, metavar="K",
                        help="of the grammar: K to choose units and fit probes, K to test them (1000)")  # fmt: skip
    parser.add_argument("--out", metavar="DIR", help="the folder for the pictures (that of the first run)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON; draw nothing")


def run(options):
    """numpylm look"""
    if require.positive_integer("sentences", options.sentences) < FEWEST:
        raise ValueError(f"sentences must be {FEWEST} or more, or nothing can be measured; got {options.sentences}")
    paths, name = split_arguments(options.runs)
    loaded = [load_real(path) for path in paths]
    content = None if name is None else read_file_or_stdin(name)
    folder = Path(options.out) if options.out else checkpoint_path(paths[0]).parent
    if not options.json:
        folder.mkdir(parents=True, exist_ok=True)
    results = []
    for path, each in zip(paths, loaded, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):  # read says where a model's numbers overflow
            results.append(look_at(path, *each, content, options))
        if not options.json:
            (print_text if "text" in results[-1] else print_grammar)(results[-1], terminal_width())
            sys.stdout.flush()
    if options.json:
        print(json.dumps({"runs": results}))
    else:
        draw(results, folder)


def split_arguments(arguments):
    """(the runs, the text's name or None): the last argument is a text if it is -, or a file that is no checkpoint."""
    *before, last = arguments
    is_text = last == "-" or (before and Path(last).is_file() and not last.endswith(".npz"))
    if is_text and not before:
        raise ValueError("name a run before the text: look RUN TEXT")
    return (before, last) if is_text else (arguments, None)


def load_real(path):
    """(model, vocabulary) of a run. ValueError for complex numbers, none of which is the larger one, and for NaN."""
    model, vocabulary, _ = load_trained(path)
    if model.dtype.kind == "c":
        raise ValueError(f"{path} holds a model of {model.dtype}; look needs real numbers")
    if not all(np.isfinite(array).all() for array in model.parameters().values()):
        raise ValueError(f"{path} holds a model whose numbers are not finite: its training diverged")
    return model, vocabulary


def look_at(path, model, vocabulary, content, options):
    """The numbers of one run, as JSON can hold them: on the grammar, or, in "text", on a text."""
    result = {"run": str(path), "cell": model.cell.name, "hidden_dim": model.sizes.hidden_dim}
    if content is None and knows_grammar(vocabulary):
        if options.unit is not None:
            raise ValueError("--unit shows a unit on a text: name the text after the run")
        return result | look_at_grammar(model, vocabulary, options.sentences)
    if content is None:
        tokens, _, name = evaluated_tokens(SimpleNamespace(trained=path, text=None), vocabulary)
        print(f"note: {path} is no model of the built-in grammar's words, so that number, nesting and the like are not "
              f"known: this is what needs no grammar, on {name}", file=sys.stderr)  # fmt: skip
    else:
        note_unknown(vocabulary, content)
        tokens = encode_stream(vocabulary, ended(vocabulary, content))
    return result | {"text": look_at_text(model, vocabulary, tokens, options.unit)}


def look_at_grammar(model, vocabulary, number):
    """The properties, the changes and the words, on the same sentences every time. A model has its own random draws."""
    rng = np.random.default_rng(crc32(model.parameters()["E"].tobytes()))
    fitting, testing = draw_sentences(vocabulary, number)
    properties = measure_units(model, fitting, testing, rng)
    ablation = measure_ablation(model, fitting, testing, properties["number"]["areas"], rng)
    return {"sentences": number, "properties": properties, "ablation": ablation,
            "attribution": measure_attribution(model, testing)}  # fmt: skip


def look_at_text(model, vocabulary, tokens, unit):
    """Tokens, surprisals, the h of the last layer, and the values of one unit, of a text's beginning."""
    if len(tokens) < 2:
        raise ValueError(f"the text has {len(tokens)} tokens, where two are needed: one to read and one to predict")
    if len(tokens) > LONGEST:
        print(f"note: only the first {LONGEST:,} of {len(tokens):,} tokens are read", file=sys.stderr)
    tokens, names = np.asarray(tokens[:LONGEST], int), unit_names(model)
    whole = SimpleNamespace(context=(), tokens=tokens[:, None], lengths=np.array([len(tokens)]))
    states = read(model, whole)[:, 0]
    shown = [k for k, each in enumerate(units_of(model)) if each[:2] == (model.sizes.num_layers - 1, "h")]
    place = shown[int(states[:, shown].std(axis=0).argmax())] if unit is None else place_of(names, unit)
    return {
        "level": vocabulary.level,
        "tokens": [vocabulary.tokens[token] for token in tokens],
        "surprisals": [0.0, *surprisals(model, tokens).tolist()],
        "unit": names[place],
        "values": states[:, place].tolist(),
        "units": [names[k] for k in shown],
        "h": states[:DRAWN, shown].tolist(),
    }


def place_of(names, unit):
    """The place of a unit's name. Raises ValueError for an unknown one."""
    if unit not in names:
        kinds = {name.rstrip("0123456789"): name for name in names}  # the last name of each kind
        raise ValueError(f"unit must be one of {', '.join(f'{kind}0 … {last}' for kind, last in kinds.items())}; "
                         f"got {unit!r}")  # fmt: skip
    return names.index(unit)


def draw(results, folder):
    """Prints the runs on the grammar side by side, and draws look.png of them, and look_text.png of the first text."""
    grammatical, texts = ([each for each in results if ("text" in each) == has_text] for has_text in (False, True))
    if len(grammatical) > 1:
        print_side_by_side(grammatical)
    if grammatical:
        save(folder / "look.png", partial(pictures.grammar_figure, grammatical))
    for text in [each["text"] for each in texts[:1]]:
        tokens = [visible(token) for token in text["tokens"][:DRAWN]]
        drawn = np.array(text["h"]), text["units"], text["surprisals"][:DRAWN], tokens
        save(folder / "look_text.png", partial(pictures.text_figure, *drawn))


def save(path, make_figure):
    """Draws a picture into a file, and says where it is; without matplotlib it says that there is none."""
    with plots.may_fail(path.name):
        plots.save(make_figure(), path)
        print(path)
