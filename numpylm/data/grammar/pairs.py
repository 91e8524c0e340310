"""The built-in translation corpus: English sentences of ENGLISH, each with its Chinese one.

Training, validation and test sentences have at most 20 English words. Two more test parts are longer: 21 to 30 words
and 31 to 40. No sentence, English or Chinese, is in two parts, nor twice in one. One seed gives the same text
everywhere: only `random.Random(seed).random()` is used.
"""

from random import Random
from typing import NamedTuple

from numpylm.data.grammar import sample_sentence
from numpylm.data.grammar.chinese import translate

BANDS = {"21-30 words": (21, 30), "31-40 words": (31, 40)}
LENGTHS = dict.fromkeys(("test", "valid", "train"), (1, 20)) | BANDS  # of the English; we fill the parts in this order


class Pair(NamedTuple):
    """A sentence and its translation, each one line of text."""

    source: str
    target: str


def grammar_pairs(num_train, num_valid=500, num_test=500, num_longer=200, seed=1, level="word"):
    """The parts of the corpus by name, each a list of Pairs: test, valid, train, and the BANDS.

    level is how the Chinese is written: "word" with spaces between the words, "char" without.
    """
    wanted = {"test": num_test, "valid": num_valid, "train": num_train, **dict.fromkeys(BANDS, num_longer)}
    pairs = {name: [] for name in wanted}
    between = " " if level == "word" else ""
    rng, seen = Random(seed), set()
    while have_room := [name for name in LENGTHS if len(pairs[name]) < wanted[name]]:
        words = sample_sentence(rng)
        source = " ".join(words)
        fitting = [name for name in have_room if LENGTHS[name][0] <= len(words) <= LENGTHS[name][1]]
        if not fitting or source in seen:
            continue
        target = between.join(translate(words))
        if target not in seen:
            seen |= {source, target}
            pairs[fitting[0]].append(Pair(source, target))
    return pairs
