"""The look command: what a trained language model has learned, in tables 60 columns wide."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import numpy as np

from numpylm import plots
from numpylm.commands import trained
from numpylm.commands.console import cut, number, terminal_width
from numpylm.commands.step import write
from numpylm.data.printable import on_one_line, visible
from numpylm.data.text import encode_stream
from numpylm.evaluation import safe_exp, surprisals
from numpylm.probing.ablation import measure_ablation
from numpylm.probing.attribution import measure_attribution
from numpylm.probing.pictures import LOOKS, RANGES, grammar_figure, title
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
AREAS = {"auc": 5, "untrained_auc": 10, "shuffled": 9, "probe": 5, "untrained_probe": 10, "control": 8}
FOUND = {"all": 10, "misled": 8, "nouns": 14, "misled_nouns": 8}
DISTANCES = [5] * len(RANGES)
PLACES = 5  # of a unit, and surprising tokens, that are shown
BEFORE = {"word": 6, "char": 30}  # tokens of context


def add_options(parser):
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="a run's folder or a checkpoint; at last, a text: a UTF-8 file, or - "
        "for standard input (the built-in grammar)")  # fmt: skip
    add("--unit", metavar="NAME", help="show where this unit, such as h12, is most active on the text (the one that "
        "varies most)")  # fmt: skip
    add("--sentences", type=int, default=1000, metavar="K",
        help="of the grammar: K to choose units and fit probes, K to test them (1000)")  # fmt: skip
    add("--out", metavar="DIR", help="the folder for the picture or page (that of the first run)")
    add("--json", action="store_true", help="print the numbers as JSON; draw nothing")


def run(options):
    if not FEWEST <= options.sentences <= MOST:
        raise ValueError(f"sentences must lie in {FEWEST}..{MOST}: fewer measure nothing; got {options.sentences}")
    *paths, last = options.runs
    has_text = last == "-" or (paths and Path(last).is_file() and not last.endswith(".npz"))
    if has_text and not paths:
        raise ValueError("name a run before the text: look RUN TEXT")
    runs = [(path, *trained.load_trained(path, real=True)[:2]) for path in (paths if has_text else options.runs)]
    content = trained.read_file_or_stdin(last) if has_text else None
    look, print_one = (look_at_text, print_text) if has_text else (look_at_grammar, print_grammar)
    folder = Path(options.out) if options.out else trained.checkpoint_path(options.runs[0]).parent
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
    elif has_text:
        write_page(*runs[0], content, folder / "look.html")
    else:
        draw(results, folder / "look.png")


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
    trained.note_unknown(trained.unknown_tokens(vocabulary, content))
    tokens = tokens_of(vocabulary, content)
    if len(tokens) < 2:
        raise ValueError(f"the text has {len(tokens)} tokens, where two are needed: one to read and one to predict")
    if len(tokens) > LONGEST:
        print(f"note: only the first {LONGEST:,} of {len(tokens):,} tokens are read", file=sys.stderr)
    tokens, names = tokens[:LONGEST], unit_names(model)
    whole = SimpleNamespace(context=(), tokens=tokens[:, None], lengths=np.array([len(tokens)]))
    states = read(model, whole)[:, 0]
    shown = [unit[:2] == (model.sizes.num_layers - 1, "h") for unit in units_of(model)]
    unit = options.unit or names[int(np.where(shown, states.std(axis=0), -1).argmax())]  # the one that varies most
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
    return np.asarray(encode_stream(vocabulary, trained.ended(vocabulary, content)), int)


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


def table(first, widths, *rows):
    """Prints rows (label, *cells): the label in a column of the first width, each cell at the end of one of its own."""
    for label, *cells in rows:
        print(f"{label:<{first}}" + "".join(f"{cell:>{width}}" for width, cell in zip(widths, cells, strict=True)))


def per_cent(share):
    """A share as it is printed, in per cent, or - for None and NaN."""
    return "-" if share is None or np.isnan(share) else f"{100 * share:.0f}"


def print_grammar(result):
    """Prints what was measured on the grammar: the AUC of the best units and of the probes, with their controls; the
    changes; and which words the verb's logits depend on."""
    properties, attribution = result["properties"], result["attribution"]
    told = properties["number"]
    print(f"{result['sentences']:,} sentences to choose and fit, as many others to test")
    print(f"\nArea under the ROC curve (AUC){'probe of all units':>30}")
    table(13, AREAS.values(), ("best unit", "AUC", "untrained", "shuffled", "AUC", "untrained", "control"), *[
        (f"{name:<8}{found['unit']}", *[number(found[key]) for key in AREAS]) for name, found in properties.items()
    ])  # fmt: skip
    names = {"auc_by_distance": f"  best unit, {told['unit']}", "probe_by_distance": "  probe of all units"}
    print()
    table(40, DISTANCES, ("number, by words since the subject", *RANGES),
          *[(name, *map(number, told[key])) for key, name in names.items()])  # fmt: skip
    print_changes(result["ablation"])
    print("\nThe word that a verb depends on most is its subject, %")
    table(20, FOUND.values(), ("", "any word", "misled", "any noun", "misled"),
          *[(name, *[per_cent(shares[key]) for key in FOUND]) for name, shares in attribution.items()])  # fmt: skip
    print()


def print_changes(ablation):
    """Prints the shares of right verbs by words from the subject, as trained and with changed units; of several draws
    their means, and the last column's standard deviation."""
    rows = [("as trained", [ablation["as_trained"]])]
    for kind, found in ablation["changes"].items():
        for k, one in found.items():
            name = one["units"][0] if k == "1" else f"{k} strongest"
            rows.append((f"{name}: {LOOKS[kind][0]}", [one["strongest"]]))
            rows.append((f"  {len(one['random'])} draws of others", one["random"]))
    print()
    table(28, [*DISTANCES, 8], ("Verbs in the right number, %", *RANGES, "misled"))
    for label, draws in rows:
        columns = np.array([[*draw["by_distance"], draw["misled"]] for draw in draws], float)
        spread = f" ±{100 * columns[:, -1].std():2.0f}" if len(draws) > 1 else ""
        table(28, [*DISTANCES, 8, 0], (label, *map(per_cent, columns.mean(axis=0)), spread))
    print("(misled: the nearest noun has the other number)")


def print_side_by_side(results):
    """Prints a row for each run: the best unit for number, the misled verbs that are right as trained and when the
    strongest unit is off or held at the other number, and those whose subject is found by leaving words out."""
    print(f"Side by side          number{'misled verbs right, %':>23}  subject")
    rows = [("", "unit", "AUC", "trained", "off", "swapped", "found, %")]
    for result in results:
        ablation, told = result["ablation"], result["properties"]["number"]
        one = [ablation["changes"][kind]["1"]["strongest"] for kind in ("off", "swap")]
        shares = [each["misled"] for each in (ablation["as_trained"], *one, result["attribution"]["leave one out"])]
        rows.append((cut(title(result), 15), told["unit"], number(told["auc"]), *map(per_cent, shares)))
    table(15, (6, 6, 11, 5, 8, 9), *rows)


def print_text(result):
    """Prints a text's perplexity, its most surprising tokens, and where one unit is most active: each token in brackets
    after those before it, in one line."""
    text, width = result["text"], terminal_width() - 10
    tokens, nats, values = text["tokens"], np.array(text["surprisals"]), np.array(text["values"])
    before, between = BEFORE[text["level"]], " " if text["level"] == "word" else ""
    print(f"{len(nats) - 1:,} tokens predicted, perplexity {safe_exp(nats[1:].mean()):.2f}")
    for heading, shown, order in (
        ("The most surprising tokens, in nats", nats, -nats),
        (f"Where unit {text['unit']} is highest", values, -values),
        (f"Where unit {text['unit']} is lowest", values, values),
    ):
        print(f"\n{heading}")
        for place in np.argsort(order, kind="stable")[:PLACES]:
            token = f"[{cut(visible(tokens[place]), width // 2)}]"
            context = on_one_line(between.join([*tokens[max(0, place - before) : place], ""]))
            print(f"{shown[place]:8.3f}  {context[max(0, len(context) + len(token) - width) :]}{token}")
    print()
