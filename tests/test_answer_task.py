"""How models that answer questions train: batches, linear start, empty sentences, scores, and that they learn."""

import numpy as np
import pytest

from numpylm.data.stories import Question, draw_questions
from numpylm.kinds.answer_task import (
    AnswerSettings,
    answer_task,
    encode_questions,
    score_questions,
    vocabulary_of,
    with_empty,
)
from numpylm.loss import surprisal
from numpylm.memory_network import MemoryNetwork
from numpylm.reader import Reader

QUESTIONS = [*draw_questions(107, 0), Question((("tom", "sits"),), ("who",), "a big dog", (0,))]
VOCABULARY = vocabulary_of(QUESTIONS)
ENCODED = encode_questions(VOCABULARY, QUESTIONS, 20)


def sentences_of(batch, n):
    """The sentences of a batch's story, without padding."""
    sentences = [[int(word) for word in sentence if word >= 0] for sentence in batch.story[:, n]]
    return [sentence for sentence in sentences if sentence]


def test_a_batch_holds_what_was_asked_and_an_answer_of_several_words_is_one():
    for n, one in enumerate(QUESTIONS):
        told = [[VOCABULARY.tokens[word] for word in sentence] for sentence in sentences_of(ENCODED, n)]
        assert tuple(map(tuple, told)) == one.story
        assert tuple(VOCABULARY.tokens[word] for word in ENCODED.question[n] if word >= 0) == one.question
        assert VOCABULARY.tokens[ENCODED.answers[n]] == one.answer.replace(" ", "_")
    short = encode_questions(VOCABULARY, QUESTIONS[:1], 2)
    assert short.story.shape[:2] == (2, 1) and sentences_of(short, 0) == sentences_of(ENCODED, 0)[-2:]


def test_each_epoch_has_every_question_once_in_an_order_of_its_own_that_a_resumed_run_finds_again():
    task = answer_task(ENCODED, ENCODED, AnswerSettings(batch_size=16, epochs=5, empty_sentences=0.3))
    epochs = [list(task.batches(epoch, 0)) for epoch in (0, 1)]
    assert [len(batches) for batches in epochs] == [task.num_batches] * 2 == [7, 7]
    for batches in epochs:
        assert sorted(np.concatenate([batch.answers for batch in batches])) == sorted(ENCODED.answers)
    assert not np.array_equal(epochs[0][0].answers, epochs[1][0].answers)
    for batch, again in zip(epochs[1][4:], task.batches(1, 4), strict=True):
        np.testing.assert_array_equal(batch.story, again.story)
        np.testing.assert_array_equal(batch.question, again.question)
    assert [batches[-1].linear for batches in epochs] == [True, False]
    assert sum(map(task.num_targets, epochs[0])) == len(QUESTIONS)


def test_empty_sentences_stand_before_the_story_s_own():
    batch, num_empty = with_empty(ENCODED, np.random.default_rng(0), 0.3), 0
    for n in range(len(QUESTIONS)):
        sentences = sentences_of(batch, n)
        assert [sentence for sentence in sentences if sentence != [0]] == sentences_of(ENCODED, n)
        assert sentences[-1] != [0]
        num_empty += sentences.count([0])
    assert 0.25 < num_empty / sum(len(one.story) for one in QUESTIONS) < 0.35


@pytest.mark.parametrize("model", [MemoryNetwork(len(VOCABULARY), 4, 2, 20), Reader(len(VOCABULARY), 4, 6)])
def test_scores_are_the_mean_over_all_questions_and_an_unknown_answer_is_never_right(model):
    model = model.astype(np.float64)
    logits = [model.forward(one.story, one.question).logits[0] for one in (ENCODED.part([n]) for n in range(108))]
    nats = surprisal(np.array(logits), ENCODED.answers)
    loss, right = score_questions(model, ENCODED)
    assert loss == pytest.approx(nats.mean(), rel=1e-12)
    assert right.tolist() == [one.argmax() == answer for one, answer in zip(logits, ENCODED.answers, strict=True)]
    unknown = ENCODED._replace(answers=np.where(np.arange(108) % 2, ENCODED.answers, -1))
    loss, right = score_questions(model, unknown)
    assert loss == pytest.approx(nats[1::2].mean(), rel=1e-12) and not right[::2].any()


def test_words_and_answers_that_the_vocabulary_lacks():
    short = vocabulary_of(QUESTIONS[:-1])
    story, _, answers, _ = encode_questions(short, QUESTIONS[-1:], 20)
    assert answers == [-1] and story.tolist() == [[[short.tokens.index("tom"), 0]]]
