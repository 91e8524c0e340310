"""The look command: what a trained language model has learned."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import numpy as np

from numpylm import plots
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.look_report import print_grammar, print_side_by_side, print_text
from numpylm.commands.step import write
from numpylm.commands.trained import checkpoint_path, ended, load_real, note_unknown, read_file_or_stdin
from numpylm.data.printable import on_one_line
from numpylm.data.text import encode_stream
from numpylm.evaluation import surprisals
from numpylm.probing.ablation import measure_ablation
from numpylm.probing.attribution import measure_attribution
from numpylm.probing.pictures import grammar_figure, title
from numpylm.probing.reading import read, unit_names, units_of
from numpylm.probing.sentences import draw_sentences, knows_grammar
from numpylm.probing.units import measure_units
from numpylm.stepping.html_page import MOST_STEPS, page

DESCRIPTION = (
    "What a language model has learned. On the built-in grammar, where number, nesting, "
    "quotation and distance are known at every word: which units tell them, what becomes "
    "of the verb when units are switched off, and which words its logits depend on. "
    "Several runs are shown side by side. On a TEXT of yours: surprisal, where a unit is "
    "most active, and a page with the heat map of all units over its first 60 tokens."
)
USAGE = "python -m numpylm look RUN [RUN …] [TEXT] [options]"
LONGEST = 2000  # tokens of a text that are read
FEWEST, MOST = 100, 100_000  # sentences


def add_options(parser):
    """The runs, the text, and what to do with the results."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder or a checkpoint; at last, a text: a "
                        "UTF-8 file, or - for standard input (the built-in grammar)")  # fmt: skip
    parser.add_argument("--unit", metavar="NAME", help="show where this unit, such as h12, is most active on the text "
                        "(the one that varies most)")  # fmt: skip
    parser.add_argument("--sentences", type=int, default=1000, metavar="K",
                        help="of the grammar: K to choose units and fit probes, K to test them (1000)")  # fmt: skip
    parser.add_argument("--out", metavar="DIR", help="the folder for the picture or page (that of the first run)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON; draw nothing")


def run(options):
    """numpylm look"""
    if not FEWEST <= options.sentences <= MOST:
        raise ValueError(f"sentences must lie in {FEWEST}..{MOST}: fewer measure nothing; got {options.sentences}")
    paths, name = split_arguments(options.runs)
    runs = [(path, *load_real(path)[:2]) for path in paths]
    content = None if name is None else read_file_or_stdin(name)
    look, print_one = (look_at_grammar, print_grammar) if content is None else (look_at_text, print_text)
    folder = Path(options.out) if options.out else checkpoint_path(paths[0]).parent
    if not options.json:
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} is no folder; name a folder for the picture or page (--out)")
        folder.mkdir(parents=True, exist_ok=True)
    results = []
    for path, model, vocabulary in runs:
        about = {"run": str(path), "cell": model.cell.name, "hidden_dim": model.sizes.hidden_dim}
        with np.errstate(over="ignore", invalid="ignore"):  # read says where a model's numbers overflow
            results.append(about | look(about, model, vocabulary, content, options))
        if not options.json:
            print(cut(f"{title(about)}: {on_one_line(path)}", terminal_width()))
            print_one(results[-1])
            sys.stdout.flush()
    if options.json:
        print(json.dumps({"runs": results}))
    elif content is None:
        draw(results, folder / "look.png")
    else:
        write_page(*runs[0], content, folder / "look.html")


def split_arguments(arguments):
    """(the runs, the text's name or None): the last argument is a text if it is -, or a file that is no checkpoint."""
    *before, last = arguments
    is_text = last == "-" or (before and Path(last).is_file() and not last.endswith(".npz"))
    if is_text and not before:
        raise ValueError("name a run before the text: look RUN TEXT")
    return (before, last) if is_text else (arguments, None)


def look_at_grammar(about, model, vocabulary, _, options):
    """The properties, the changes and the words, on the same sentences every time. A model has its own random draws."""
    if not knows_grammar(vocabulary):
        raise ValueError(f"{about['run']} is no model of the built-in grammar's words: name a text, look RUN TEXT")
    if options.unit is not None:
        raise ValueError("--unit shows a unit on a text: name the text after the run")
    rng = np.random.default_rng(crc32(model.parameters()["E"].tobytes()))
    fitting, testing = draw_sentences(vocabulary, options.sentences)
    properties = measure_units(model, fitting, testing, rng)
    ablation = measure_ablation(model, fitting, testing, properties["number"]["areas"], rng)
    return {"sentences": options.sentences, "properties": properties, "ablation": ablation,
            "attribution": measure_attribution(model, testing)}  # fmt: skip


def look_at_text(about, model, vocabulary, content, options):
    """In "text": tokens, surprisals, and the values of one unit, of a text's beginning."""
    note_unknown(vocabulary, content)
    tokens = tokens_of(vocabulary, content)
    if len(tokens) < 2:
        raise ValueError(f"the text has {len(tokens)} tokens, where two are needed: one to read and one to predict")
    if len(tokens) > LONGEST:
        print(f"note: only the first {LONGEST:,} of {len(tokens):,} tokens are read", file=sys.stderr)
    tokens, names = tokens[:LONGEST], unit_names(model)
    whole = SimpleNamespace(context=(), tokens=tokens[:, None], lengths=np.array([len(tokens)]))
    states = read(model, whole)[:, 0]
    shown = [unit[:2] == (model.sizes.num_layers - 1, "h") for unit in units_of(model)]
    most_varied = names[int(np.where(shown, states.std(axis=0), -1).argmax())]
    unit = most_varied if options.unit is None else options.unit
    if unit not in names:
        raise ValueError(f"--unit must be one of {names[0]} … {names[-1]}; got {unit!r}")
    return {"text": {
        "level": vocabulary.level,
        "tokens": [vocabulary.tokens[token] for token in tokens],
        "surprisals": [0.0, *surprisals(model, tokens).tolist()],
        "unit": unit,
        "values": states[:, names.index(unit)].tolist(),
    }}  # fmt: skip


def tokens_of(vocabulary, content):
    """The ids of a text's tokens."""
    return np.asarray(encode_stream(vocabulary, ended(vocabulary, content)), int)


def draw(results, path):
    """Prints the runs side by side, and draws them; without matplotlib it says that there is no picture."""
    if len(results) > 1:
        print_side_by_side(results)
    figure = None
    with plots.may_fail(path.name):
        figure = grammar_figure(results)
    if figure is not None:
        plots.save(figure, path)
        print(on_one_line(path))


def write_page(run, model, vocabulary, content, target):
    """Writes a run's page of the text's beginning: the step command's, with its heat map."""
    tokens = tokens_of(vocabulary, content)[: MOST_STEPS + 1]
    write(target, page(model.astype(np.float64), tokens, vocabulary.tokens, model.sizes.num_layers - 1, str(run)))
