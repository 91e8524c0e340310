"""Sentences of the built-in grammar, with what is true after each word.

Row 0 of the tokens (T, N) is <eos>, and the word at position p of a sentence is in row p + 1. Each label describes the
sentence after that row's word, which is what the state of the same row may know.

    number   of the subject whose verb comes next: 0 singular, 1 plural, -1 where no verb is waited for
    subject  the row of that subject, or -1
    depth    how many modifiers the word stands in (the king [that sees the cats [near a dog]]), or -1 after the end
    quoted   whether a quotation mark is open
"""

from typing import NamedTuple

import numpy as np

from numpylm.data.grammar import generate_text
from numpylm.data.grammar.agreement import NUMBER_OF_NOUN, VERBS, agreement_pairs, word_depths
from numpylm.data.text import END_OF_SENTENCE, Vocabulary, encode_stream

MOST_WORDS = 40  # longer sentences, about one in 1,900, are left out
WORDS_A_SENTENCE = 15  # more than the mean, so that enough sentences are drawn
CONTEXT = 30  # sentences before each of them: a model that was trained on a stream is used to a past
SEED = 77  # of the text; training draws its text with another one


class Verbs(NamedTuple):
    """M verbs that agree with a noun before them, an entry each. Rows are those of Sentences.tokens.

    row is that of the word before the verb, whose logits predict it. nearest is the last noun's row, and misled says
    that this noun has the other number than the subject.
    """

    row: np.ndarray
    sentence: np.ndarray
    token: np.ndarray
    other: np.ndarray  # the same verb in the other number
    subject: np.ndarray
    distance: np.ndarray  # words from the subject to the verb
    nearest: np.ndarray
    misled: np.ndarray


class Sentences(NamedTuple):
    """N sentences in order of falling length, with labels (T, N); is_noun (T, N); lengths (N,) count the rows.

    context has the tokens that are read before each sentence.
    """

    context: np.ndarray
    tokens: np.ndarray
    lengths: np.ndarray
    number: np.ndarray
    subject: np.ndarray
    depth: np.ndarray
    quoted: np.ndarray
    is_noun: np.ndarray
    verbs: Verbs


def knows_grammar(vocabulary: Vocabulary) -> bool:
    """Whether a vocabulary has the words that agree, so that the properties are known for what its model reads."""
    words = {word for pair in VERBS for word in pair} | NUMBER_OF_NOUN.keys() | {END_OF_SENTENCE}
    return vocabulary.level == "word" and words <= set(vocabulary.tokens)


def draw_sentences(vocabulary: Vocabulary, number: int) -> tuple[Sentences, Sentences]:
    """Two sets of `number` sentences of at most MOST_WORDS words, one to fit and one to test; all are different."""
    lines = generate_text((4 * number + 2 * CONTEXT) * WORDS_A_SENTENCE, SEED).splitlines(keepends=True)
    context = encode_stream(vocabulary, "".join(lines[:CONTEXT]))[:-1]  # the last <eos> begins the sentence
    drawn = [line.split() for line in dict.fromkeys(lines[CONTEXT:]) if line.count(" ") < MOST_WORDS]
    halves = drawn[:number], drawn[number : 2 * number]
    return tuple(label_sentences(vocabulary, half, context) for half in halves)


def label_sentences(vocabulary: Vocabulary, sentences: list[list[str]], context) -> Sentences:
    """The Sentences of lists of words, after the tokens of a context (S,). ValueError for one that is ungrammatical."""
    id_of = {token: k for k, token in enumerate(vocabulary.tokens)}
    sentences = sorted(sentences, key=len, reverse=True)
    lengths = np.array([len(words) + 1 for words in sentences])
    shape = (lengths[0], len(sentences))
    tokens = np.full(shape, id_of[END_OF_SENTENCE])
    number, subject, depth = np.full((3, *shape), -1)
    quoted, is_noun = np.zeros((2, *shape), bool)
    found = []
    for n, words in enumerate(sentences):
        rows = slice(1, len(words) + 1)
        tokens[rows, n] = [id_of[word] for word in words]
        depth[rows, n] = word_depths(words)
        quoted[rows, n] = np.cumsum([word == '"' for word in words]) % 2
        is_noun[rows, n] = [word in NUMBER_OF_NOUN for word in words]
        for noun, verb in reversed(agreement_pairs(words)):  # inner verbs come before outer ones, and are written last
            number[noun + 1 : verb + 1, n] = NUMBER_OF_NOUN[words[noun]]
            subject[noun + 1 : verb + 1, n] = noun + 1
            found.append((verb, n, tokens[verb + 1, n], noun + 1))
    verbs = describe_verbs(np.array(found).T, tokens, is_noun, id_of)
    return Sentences(context, tokens, lengths, number, subject, depth, quoted, is_noun, verbs)


def describe_verbs(found, tokens, is_noun, id_of) -> Verbs:
    """The Verbs in order of falling row, from an array (4, M) of rows, sentences, tokens and subjects."""
    row, sentence, token, subject = found[:, np.argsort(-found[0], kind="stable")]
    other = np.arange(len(id_of))
    pairs = np.array([[id_of[word] for word in pair] for pair in VERBS])
    other[pairs] = pairs[:, ::-1]
    rows = np.arange(len(tokens))[:, None]
    nearest = np.where(is_noun[:, sentence] & (rows <= row), rows, 0).max(axis=0)
    is_plural = np.isin(tokens, [id_of[noun] for noun, plural in NUMBER_OF_NOUN.items() if plural])
    misled = is_plural[nearest, sentence] != is_plural[subject, sentence]
    return Verbs(row, sentence, token, other[token], subject, row + 1 - subject, nearest, misled)
