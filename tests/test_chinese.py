"""The Chinese partner of the built-in English: translations, their grammar, and the corpus of pairs."""

import hashlib
from random import Random

import pytest

from numpylm.data.grammar import sample_sentence
from numpylm.data.grammar.agreement import word_depths
from numpylm.data.grammar.chart import is_chinese
from numpylm.data.grammar.chinese import ENTRIES, MEASURES, PINYIN, translate
from numpylm.data.grammar.english import ENGLISH
from numpylm.data.pairs import BANDS, grammar_pairs

SIZES = {"num_train": 300, "num_valid": 40, "num_test": 50, "num_longer": 10}
BY_HAND = {  # one for each pattern
    "the cat that the king sees sleeps .": "那位国王看见的那只猫睡觉。",
    "every dog near a queen is happy .": "一位女王附近的每条狗都很快乐。",
    "the small wolf that sleeps behind the geese dreams .": "在那些鹅后面睡觉的那匹小狼做梦。",
    "few kings ( friends of this poet ) see every brave knight .": "少数国王（这位诗人的朋友们）看见每名勇敢的骑士。",
    "a man ( a cousin of the giants ) waits with the sailor .": "一个男人（那些巨人的一个表亲）和那名水手一起等待。",
    "many women with some cats sing without a mouse .": "和一些猫在一起的许多女人在没有一只老鼠的陪伴下唱歌。",
    "the child without these dogs is hungry .": "身边没有这些狗的那个孩子很饿。",
    "this hungry baker is small .": "这个饥饿的面包师很小。",
    '" the farmer laughs , " says every clever goose .': "“那个农夫大笑，”每只聪明的鹅都说。",
    "the queen that every king that knows a cat loves smiles .": "认识一只猫的每位国王都爱的那位女王微笑。",
    "the wolf near the cat beside the dog follows them .": None,
}
WRONG = {
    "那条猫睡觉。": "the measure word of another noun",
    "那猫睡觉。": "no measure word",
    "那些只猫睡觉。": "a measure word in the plural",
    "每只猫睡觉。": "no 都 after 每",
    "那只猫都睡觉。": "都 without 每",
    "那只快乐猫睡觉。": "no 的 after the adjective",
    "那只猫饿。": "no 很",
    "那些国王（那只猫的一个朋友）睡觉。": "one friend of several kings",
    "那位国王（那只猫的朋友们）睡觉。": "several friends that are one king",
    "那只猫睡觉在那条狗附近。": "the place behind the verb",
    "那只猫那位国王看见的睡觉。": "the relative clause behind its noun",
    "“那只猫睡觉”那条狗说。": "no comma",
    "那只猫睡觉": "no full stop",
    "那只猫看见。": "a verb without its object",
    "": "no word",
}


def drawn(num, seed=11):
    rng = Random(seed)
    return list(dict.fromkeys(" ".join(sample_sentence(rng)) for _ in range(num)))


@pytest.mark.parametrize("english", BY_HAND)
def test_translations_by_hand(english):
    if BY_HAND[english] is None:
        with pytest.raises(ValueError, match="'them'"):
            translate(english.split())
    else:
        words = translate(english.split())
        assert "".join(words) == BY_HAND[english]
        assert is_chinese(BY_HAND[english])


def test_drawn_sentences_have_different_translations_all_of_them_grammatical():
    sentences = drawn(1500)
    translations = [tuple(translate(sentence.split())) for sentence in sentences]
    assert len(set(map("".join, translations))) == len(sentences) > 1200
    assert all(is_chinese("".join(words)) for words in translations[:400])


@pytest.mark.parametrize("text", WRONG, ids=WRONG.values())
def test_a_sentence_with_one_mistake_is_not_grammatical(text):
    assert not is_chinese(text)


def test_a_word_too_many_or_too_few_is_nearly_always_wrong():
    """Only an adjective can go or come unseen."""
    rng, accepted = Random(3), 0
    for sentence in drawn(200):
        words = translate(sentence.split())
        place = rng.randrange(len(words))
        for wrong in (words[:place] + words[place + 1 :], [*words[:place], "的", *words[place:]]):
            accepted += is_chinese("".join(wrong))
    assert accepted < 12


def test_the_lexicon_has_every_english_word_once_and_pinyin_for_every_chinese_character():
    words = {symbol for rules in ENGLISH.rules.values() for rule in rules for symbol in rule.symbols}
    known = [word for english, *_ in ENTRIES for word in english.split("/") if word != "-"]
    assert len(known) == len(set(known))
    # brackets, marks and the words of patterns have no entry of their own
    assert words - ENGLISH.rules.keys() - set(known) == {*'"().,', "the", "that", "of", "with", "without", "is", "are"}
    assert all(len(chinese) == len(pinyin.split("-")) or not pinyin.isalpha() for chinese, pinyin in PINYIN.items())
    assert set(MEASURES.values()) == set("位个只条匹名")


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
    assert max(word_depths(sentence.split())) == depth
