"""The tables that the look command prints, 60 columns wide or less."""

import numpy as np

from numpylm.commands.console import cut
from numpylm.data.printable import on_one_line, visible
from numpylm.evaluation import safe_exp
from numpylm.probing.pictures import RANGES

CHANGES = {"off": "off", "cut": "forget path cut", "swap": "other number"}
PLACES = 5  # of a unit, and surprising tokens, that are shown
BEFORE = 6  # tokens of context


def print_grammar(result, width):
    """Prints what was measured on the grammar."""
    print(cut(f"{on_one_line(result['run'])}: {result['cell'].upper()}, H = {result['hidden_dim']}; "
              f"{result['sentences']:,} sentences to choose and fit, as many to test", width))  # fmt: skip
    print_properties(result["properties"])
    print_changes(result["ablation"])
    print_words(result["attribution"])
    print()


def print_properties(properties):
    """Prints the AUC of the best units and of the probes, with their controls."""
    print("\nWho tells a property: area under the ROC curve (0.5: no one)")
    print("             best        un-  shuf-           un- control")
    print("             unit   AUC  trained fled  probe trained task")
    for name, told in properties.items():
        keys = ("auc", "untrained_auc", "shuffled", "probe", "untrained_probe", "control")
        print(f"{name:<13}{told['unit']:<6}" + "".join(f"{told[key]:>{w}.2f}" for key, w in
              zip(keys, (4, 7, 7, 6, 7, 8), strict=True)))  # fmt: skip
    print(f"\n{'number, by words since the subject':<38}" + "".join(f"{name:>5}" for name in RANGES))
    number = properties["number"]
    for label, key in ((f"best unit, {number['unit']}", "auc"), ("probe of all units", "probe")):
        areas = number[f"{key}_by_distance"]
        print(f"  {label:<36}" + "".join(f"{'-' if area is None else f'{area:.2f}':>5}" for area in areas))


def print_changes(ablation):
    """Prints the shares of right verbs, by distance, without and with changed units."""
    print(f"\n{'Verbs in the right number, %':<29}" + "".join(f"{name:>5}" for name in RANGES) + "   misled")
    print_shares("as trained", ablation["as_trained"])
    for kind, found in ablation["changes"].items():
        for k, one in found.items():
            name = one["units"][0] if k == 1 else f"{k:>2} strongest"
            print_shares(f"{name}: {CHANGES[kind]}", one["strongest"])
            print_shares("  others at random", *one["random"])
    print("misled: the nearest noun has the other number; ± between draws")


def print_shares(label, *draws):
    """Prints one row, the mean of several draws, with their standard deviation in the last column."""
    by_distance = np.array([draw["by_distance"] for draw in draws], float).mean(axis=0)
    misled = 100 * np.array([draw["misled"] for draw in draws], float)
    spread = f" ±{misled.std():2.0f}" if len(draws) > 1 else ""
    print(f"{label:<29}" + "".join(f"{100 * share:5.0f}" for share in by_distance) + f"{misled.mean():6.0f}{spread}")


def print_words(attribution):
    """Prints how often each method's first word, or first noun, is the verb's subject."""
    print("\nThe word that the verb depends on most is its subject, %")
    print(f"{'':<20}{'any word':>9}{'misled':>8}{'nouns only':>13}{'misled':>8}")
    for name, share in attribution.items():
        row = [100 * share[key] for key in ("all", "misled", "nouns", "misled_nouns")]
        print(f"{name:<20}{row[0]:9.0f}{row[1]:8.0f}{row[2]:13.0f}{row[3]:8.0f}")


def print_side_by_side(results, width):
    """Prints a row for each run: its best number unit, its misled verbs, and the subjects that leaving out finds."""
    print("Side by side             number  misled verbs right, % subject")
    print("                      unit  AUC  trained  off other#   found")
    for result in results:
        ablation, number = result["ablation"], result["properties"]["number"]
        one = [ablation["changes"][kind][1]["strongest"]["misled"] for kind in ("off", "swap")]
        found = result["attribution"]["leave one out"]["misled"]
        shares = "".join(f"{100 * share:{w}.0f}" for share, w in
                         zip((ablation["as_trained"]["misled"], *one, found), (9, 5, 7, 8), strict=True))  # fmt: skip
        label = cut(f"{result['cell'].upper()} {result['hidden_dim']}, {on_one_line(result['run'])[-9:]}", 20)
        print(f"{label:<20}{number['unit']:>6}{number['auc']:5.2f}{shares}")


def print_text(result, width):
    """Prints a text's surprisals, its most surprising tokens, and where one unit is most active."""
    text = result["text"]
    tokens, nats, values = text["tokens"], np.array(text["surprisals"]), np.array(text["values"])
    print(cut(f"{on_one_line(result['run'])}: {result['cell'].upper()}, H = {result['hidden_dim']}", width))
    print(f"{len(tokens) - 1:,} tokens predicted, perplexity {safe_exp(nats[1:].mean()):.2f}")
    print("\nMost surprising tokens, in nats")
    print_places(tokens, nats, np.argsort(-nats, kind="stable"), width)
    for word, order in (("highest", np.argsort(-values, kind="stable")), ("lowest", np.argsort(values, kind="stable"))):
        print(f"\nWhere unit {text['unit']} is {word}")
        print_places(tokens, values, order, width)
    print()


def print_places(tokens, values, order, width):
    """Prints the first places of an order: the value, the token in brackets, and the tokens before it."""
    is_char = all(len(token) == 1 for token in tokens if not token.startswith("<"))
    for place in order[:PLACES]:
        before = [visible(token) if not is_char or token != " " else " "
                  for token in tokens[max(0, place - BEFORE * (1 + 4 * is_char)) : place]]  # fmt: skip
        context = ("" if is_char else " ").join(before)
        room = width - 14 - len(visible(tokens[place]))
        print(
            cut(f"{values[place]:8.3f}  {context[-max(room, 0) or len(context) :]} [{visible(tokens[place])}]", width)
        )
