"""The tables that the look command prints, 60 columns wide."""

import numpy as np

from numpylm.commands.console import cut, terminal_width
from numpylm.data.printable import on_one_line, visible
from numpylm.evaluation import safe_exp
from numpylm.probing.pictures import LOOKS, RANGES, title

AREAS = {"auc": 5, "untrained_auc": 10, "shuffled": 9, "probe": 5, "untrained_probe": 10, "control": 8}
FOUND = {"all": 10, "misled": 8, "nouns": 14, "misled_nouns": 8}
DISTANCES = [5] * len(RANGES)
PLACES = 5  # of a unit, and surprising tokens, that are shown
BEFORE = {"word": 6, "char": 30}  # tokens of context


def line(label, widths, texts):
    """Prints a label, and each text at the end of a column of its width."""
    print(label + "".join(f"{text:>{width}}" for width, text in zip(widths, texts, strict=True)))


def two_digits(number):
    """A number as it is printed, or - for None."""
    return "-" if number is None else f"{number:.2f}"


def per_cent(share):
    """A share as it is printed, in per cent, or - for None and NaN."""
    return "-" if share is None or np.isnan(share) else f"{100 * share:.0f}"


def print_grammar(result):
    """Prints what was measured on the grammar."""
    print(f"{result['sentences']:,} sentences to choose and fit, as many others to test")
    print_properties(result["properties"])
    print_changes(result["ablation"])
    print("\nThe word that a verb depends on most is its subject, %")
    line(f"{'':<20}", FOUND.values(), ("any word", "misled", "any noun", "misled"))
    for name, shares in result["attribution"].items():
        line(f"{name:<20}", FOUND.values(), [per_cent(shares[key]) for key in FOUND])
    print()


def print_properties(properties):
    """Prints the AUC of the best units and of the probes, with their controls."""
    print(f"\nArea under the ROC curve (AUC){'probe of all units':>30}")
    line("best unit    ", AREAS.values(), ("AUC", "untrained", "shuffled", "AUC", "untrained", "control"))
    for name, told in properties.items():
        line(f"{name:<8}{told['unit']:<5}", AREAS.values(), [two_digits(told[key]) for key in AREAS])
    number = properties["number"]
    line(f"\n{'number, by words since the subject':<40}", DISTANCES, RANGES)
    for label, key in ((f"best unit, {number['unit']}", "auc"), ("probe of all units", "probe")):
        line(f"  {label:<38}", DISTANCES, map(two_digits, number[f"{key}_by_distance"]))


def print_changes(ablation):
    """Prints the shares of right verbs by words from the subject, as trained and with changed units."""
    line(f"\n{'Verbs in the right number, %':<28}", [*DISTANCES, 8], [*RANGES, "misled"])
    print_shares("as trained", [ablation["as_trained"]])
    for kind, found in ablation["changes"].items():
        for k, one in found.items():
            name = one["units"][0] if k == "1" else f"{k} strongest"
            print_shares(f"{name}: {LOOKS[kind][0]}", [one["strongest"]])
            print_shares(f"  {len(one['random'])} draws of others", one["random"])
    print("(misled: the nearest noun has the other number)")


def print_shares(label, draws):
    """Prints the mean shares of draws in a row; of several, the last column's standard deviation too."""
    columns = np.array([[*draw["by_distance"], draw["misled"]] for draw in draws], float)
    spread = f" ±{100 * columns[:, -1].std():2.0f}" if len(draws) > 1 else ""
    line(f"{label:<28}", [*DISTANCES, 8, 0], [*map(per_cent, columns.mean(axis=0)), spread])


def print_side_by_side(results):
    """Prints a row for each run: the best unit for number, the misled verbs that are right as trained and when the
    strongest unit is off or held at the other number, and those whose subject is found by leaving words out."""
    widths = (6, 6, 11, 5, 8, 9)
    print(f"Side by side          number{'misled verbs right, %':>23}  subject")
    line(f"{'':<15}", widths, ("unit", "AUC", "trained", "off", "swapped", "found, %"))
    for result in results:
        ablation, number = result["ablation"], result["properties"]["number"]
        one = [ablation["changes"][kind]["1"]["strongest"] for kind in ("off", "swap")]
        shares = [each["misled"] for each in (ablation["as_trained"], *one, result["attribution"]["leave one out"])]
        texts = number["unit"], two_digits(number["auc"]), *map(per_cent, shares)
        line(f"{cut(title(result), 15):<15}", widths, texts)


def print_text(result):
    """Prints a text's perplexity, its most surprising tokens, and where one unit is most active."""
    text = result["text"]
    nats, values = np.array(text["surprisals"]), np.array(text["values"])
    print(f"{len(nats) - 1:,} tokens predicted, perplexity {safe_exp(nats[1:].mean()):.2f}")
    for heading, shown, order in (
        ("The most surprising tokens, in nats", nats, -nats),
        (f"Where unit {text['unit']} is highest", values, -values),
        (f"Where unit {text['unit']} is lowest", values, values),
    ):
        print(f"\n{heading}")
        for place in np.argsort(order, kind="stable")[:PLACES]:
            print(f"{shown[place]:8.3f}  {in_context(text, place, terminal_width() - 10)}")
    print()


def in_context(text, place, width):
    """A token in brackets after the end of those before it, in one line of at most width columns."""
    tokens, before = text["tokens"], BEFORE[text["level"]]
    between = " " if text["level"] == "word" else ""
    token = f"[{cut(visible(tokens[place]), width // 2)}]"
    context = on_one_line(between.join([*tokens[max(0, place - before) : place], ""]))
    return context[max(0, len(context) + len(token) - width) :] + token
