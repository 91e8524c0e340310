import hashlib

import pytest

from numpylm.data.grammar.chinese import translate
from numpylm.data.grammar.pairs import BANDS, grammar_pairs, nesting_depth

SIZES = {"num_train": 300, "num_valid": 40, "num_test": 50, "num_longer": 10}


def test_no_sentence_is_in_two_parts_and_each_part_has_its_lengths():
    parts = grammar_pairs(**SIZES)
    assert {name: len(pairs) for name, pairs in parts.items()} == {
        "train": 300, "valid": 40, "test": 50, "21-30 words": 10, "31-40 words": 10,
    }  # fmt: skip
    pairs = [pair for part in parts.values() for pair in part]
    for side in ("source", "target"):
        assert len({getattr(pair, side) for pair in pairs}) == len(pairs)
    assert all(pair.target.split() == translate(pair.source.split()) for pair in pairs)
    for name, (least, most) in {"train": (2, 20), "valid": (2, 20), "test": (2, 20), **BANDS}.items():
        assert all(least <= len(pair.source.split()) <= most for pair in parts[name])


def test_the_same_seed_gives_the_same_text_everywhere():
    text = "".join(f"{name}\t{s}\t{t}\n" for name, pairs in grammar_pairs(**SIZES).items() for s, t in pairs)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "b004008da79b7caa"
    assert grammar_pairs(**SIZES, seed=2)["test"] != grammar_pairs(**SIZES)["test"]


def test_more_training_pairs_leave_the_test_part_as_it_is():
    assert grammar_pairs(**SIZES | {"num_train": 100})["test"] == grammar_pairs(**SIZES)["test"]


def test_by_characters_the_chinese_has_no_spaces():
    words, characters = (grammar_pairs(5, 5, 5, 1, level=level) for level in ("word", "char"))
    assert characters["train"][0].target == words["train"][0].target.replace(" ", "")


@pytest.mark.parametrize(
    ("sentence", "depth"),
    [
        ("the cat sleeps .", 0),
        ("the cat sleeps near a dog .", 1),
        ("the cat near a dog sleeps near a dog .", 1),
        ("the cat near a dog behind a mouse sleeps .", 2),
        ('" the cat that the king that sleeps near a wolf sees sings , " says the queen .', 3),
    ],
)
def test_nesting_depth(sentence, depth):
    assert nesting_depth(sentence) == depth
