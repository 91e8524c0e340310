"""Does the verb agree with its noun when many words stand between them?

A cell is trained on the built-in grammar with three seeds. Then it reads a new text. Before each verb the model has two
forms to choose between (the king near the cats sleeps, sleep); its choice is the form with the higher probability.
agreement_pairs knows each verb's noun, and so the distance. Agreement with the nearest noun is the baseline.

Source of the measure: T. Linzen, E. Dupoux and Y. Goldberg, Assessing the ability of LSTMs to learn syntax-sensitive
dependencies (2016).
"""

import math

import numpy as np
from recipe_results import Measured
from train_recipe import train

from numpylm.checkpoint import load_checkpoint
from numpylm.data import grammar
from numpylm.data.grammar.agreement import NUMBER_OF_NOUN, VERBS, agreement_pairs
from numpylm.data.text import encode
from numpylm.evaluation import predictions, safe_exp

SEEDS = (0, 1, 2)
TEXT_WORDS, TEXT_SEED = 300_000, 77  # of the text that agreement is measured on
DISTANCES = ((1, 1), (2, 2), (3, 4), (5, 6), (7, 9), (10, 14), (15, 19), (20, math.inf))
STREAMS = 50  # read side by side


def train_and_measure(options, data, folder):
    """Train with each seed, and measure agreement: a Measured whose rows are (seed, distance) pairs."""
    sentences = grammar.generate_text(TEXT_WORDS, TEXT_SEED)
    runs = []
    rows = []
    pairs = find_pairs(sentences)
    for seed in SEEDS:
        run = folder / f"seed-{seed}"
        runs.append(train(f"{options} --seed {seed}", "grammar", run).fields)
        right = chosen_rightly(*load_checkpoint(run / "best.npz")[:2], sentences)
        rows += [{"seed": seed, **row} for row in by_distance(pairs, right)]

    def mean(name):
        return sum(run[name] for run in runs) / len(runs)

    floor = safe_exp(grammar.entropy_per_word())
    test = mean("test")
    fields = {
        **runs[0],
        "seconds": sum(run["seconds"] for run in runs),
        "tokens_per_second": round(mean("tokens_per_second")),
        "valid": mean("valid"),
        "test": test,
        "test_perplexity": test,
        "seeds": [run["test"] for run in runs],
        "floor": floor,
        "above_floor": test / floor - 1,
        "agreement": sum(row["right"] for row in rows) / sum(row["verbs"] for row in rows),
    }
    return Measured(rows, fields)


def find_pairs(text):
    """For each verb of the text: its place in the stream, its distance, and whether the nearest noun has its number: an
    array (number of verbs, 3). The stream has a token before the text's first word, and one for each line's end."""
    found, start = [], 1
    for line in text.splitlines():
        words = line.split()
        nouns = [position for position, word in enumerate(words) if word in NUMBER_OF_NOUN]
        for noun, verb in agreement_pairs(words):
            last = max(position for position in nouns if position < verb)
            found.append((start + verb, verb - noun, NUMBER_OF_NOUN[words[last]] == NUMBER_OF_NOUN[words[noun]]))
        start += len(words) + 1
    return np.array(found)


def chosen_rightly(model, vocabulary, text):
    """For each token of the text's stream, whether the model gives it more probability than the same verb's other
    number: an array of booleans, whose entries have a meaning for verbs alone."""
    tokens = np.concatenate([[vocabulary.tokens.index("<eos>")], encode(vocabulary, text)])
    other = np.arange(len(vocabulary))
    for pair in VERBS:
        one, two = map(vocabulary.tokens.index, pair)
        other[[one, two]] = two, one
    right = [right_in_window(*window, other) for window in predictions(model, tokens, STREAMS)]
    return np.concatenate([[False], np.concatenate(right).T.ravel()])


def right_in_window(logits, targets, other):
    """(T, N) booleans: whether the target's logit is above that of its other form."""
    target, rival = (np.take_along_axis(logits, ids[..., None], -1)[..., 0] for ids in (targets, other[targets]))
    return target > rival


def by_distance(pairs, right):
    """A row for each range of distances: how many verbs there are, and how many were chosen rightly; the same for the
    verbs whose nearest noun has the other number (misled)."""
    pairs = pairs[pairs[:, 0] < len(right)]  # the streams of equal length leave out some tokens at the end
    place, distance, by_last_noun = pairs.T
    rows = []
    for nearest, farthest in DISTANCES:
        chosen = (distance >= nearest) & (distance <= farthest)
        if not chosen.any():
            continue
        misled = chosen & (by_last_noun == 0)
        rows.append({
            "nearest": nearest, "farthest": min(farthest, int(distance.max())),
            "verbs": int(chosen.sum()), "right": int(right[place[chosen]].sum()),
            "misled": int(misled.sum()), "right_where_misled": int(right[place[misled]].sum()),
        })  # fmt: skip
    return rows
