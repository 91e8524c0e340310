"""Does the verb agree with its noun when many words stand between them?

A cell is trained on the built-in grammar with three seeds. Then it reads the sentences of a new text, each after the
same CONTEXT. Before each verb the model has two forms to choose between (the king near the cats sleeps, sleep); its
choice is the form with the higher probability. Agreement with the nearest noun is the baseline. Verbs whose nearest
noun has the other number are called misled.

Source of the measure: T. Linzen, E. Dupoux and Y. Goldberg, Assessing the ability of LSTMs to learn syntax-sensitive
dependencies (2016).
"""

import math

import numpy as np
from command_recipe import train
from recipe_results import Measured

from numpylm.checkpoint import load_checkpoint
from numpylm.data import grammar
from numpylm.data.text import encode_stream
from numpylm.evaluation import safe_exp
from numpylm.probing.ablation import agreement
from numpylm.probing.sentences import CONTEXT, label_sentences

SEEDS = (0, 1, 2)
TEXT_WORDS, TEXT_SEED = 300_000, 77  # of the text that agreement is measured on
DISTANCES = ((1, 1), (2, 2), (3, 4), (5, 6), (7, 9), (10, 14), (15, 19), (20, math.inf))
SENTENCES = 1000  # read side by side


def train_and_measure(options, data, folder):
    """Train with each seed, and measure agreement: a Measured whose rows are (seed, distance) pairs."""
    lines = grammar.generate_text(TEXT_WORDS, TEXT_SEED).splitlines(keepends=True)
    runs, rows = [], []
    for seed in SEEDS:
        run = folder / f"seed-{seed}"
        runs.append(train(f"{options} --seed {seed}", "grammar", run).fields)
        rows += [{"seed": seed, **row} for row in by_distance(*load_checkpoint(run / "best.npz")[:2], lines)]

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


def by_distance(model, vocabulary, lines):
    """A row for each range of distances: how many verbs there are in the lines of a text, and how many were chosen
    rightly; the same for the misled ones."""
    context = encode_stream(vocabulary, "".join(lines[:CONTEXT]))[:-1]  # the last <eos> begins the sentence
    found = []
    for start in range(CONTEXT, len(lines), SENTENCES):
        words = [line.split() for line in lines[start : start + SENTENCES]]
        sentences = label_sentences(vocabulary, words, context)
        found.append((sentences.verbs.distance, sentences.verbs.misled, agreement(model, sentences)))
    distance, misled, right = map(np.concatenate, zip(*found, strict=True))
    rows = []
    for nearest, farthest in DISTANCES:
        here = (distance >= nearest) & (distance <= farthest)
        if here.any():
            rows.append({
                "nearest": nearest, "farthest": min(farthest, int(distance.max())),
                "verbs": int(here.sum()), "right": int(right[here].sum()),
                "misled": int(misled[here].sum()), "right_where_misled": int((right & misled)[here].sum()),
            })  # fmt: skip
    return rows
