"""How models that answer questions train: batches, linear start, empty sentences, scores, and that they learn."""

import numpy as np
import pytest

from numpylm.answer_task import (
    AnswerSettings,
    answer_question,
    answer_task,
    encode_questions,
    score_questions,
    vocabulary_of,
    with_empty,
)
from numpylm.data.stories import Question
from numpylm.data.story_world import draw_questions
from numpylm.loss import surprisal
from numpylm.memory_network import MemoryNetwork
from numpylm.reader import Reader
from numpylm.training import Progress, make_optimizer, training

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
    (answer,), story = (alone := encode_questions(short, QUESTIONS[-1:], 20)).answers, alone.story
    assert answer == -1 and story.tolist() == [[[short.tokens.index("tom"), 0]]]


@pytest.mark.parametrize(
    ("model", "options", "least"),
    [
        (MemoryNetwork(len(VOCABULARY), 16, 1, 20), {"epochs": 30, "linear_epochs": 2}, 0.9),
        (
            Reader(len(VOCABULARY), 16, 32),
            {"epochs": 12, "optimizer": "adam", "learning_rate": 0.02, "empty_sentences": 0},
            0.55,
        ),
    ],
    ids=["memory", "reader"],
)
def test_training_learns_where_a_person_is(model, options, least):
    asked, other = (
        [one for one in draw_questions(3000, seed, (2, 4)) if one.kind == "where is a person"] for seed in (1, 2)
    )
    train, test = (encode_questions(VOCABULARY, questions, 20) for questions in (asked, other[:150]))
    settings = AnswerSettings(**options)
    reports = list(training(answer_task(train, test, settings), model, make_optimizer(settings), settings,
                            Progress(np.random.default_rng(0))))  # fmt: skip
    right = score_questions(model, test)[1]
    assert reports[-1].note == f"accuracy {100 * right.mean():.1f} %"
    assert right.mean() > least  # always the same answer: 0.17
    found = [answer_question(model, VOCABULARY, question) for question in other[:30]]
    assert [one.answer == question.answer for one, question in zip(found, other, strict=False)] == right[:30].tolist()
    if isinstance(model, MemoryNetwork):
        looked = [one.p[-1].argmax() in question.support for one, question in zip(found, other, strict=False)]
        assert sum(looked) > 24 and found[0].p.shape == (1, len(other[0].story))


def test_settings_have_the_rate_of_their_optimizer_and_a_linear_start():
    assert (AnswerSettings().learning_rate, AnswerSettings(optimizer="adam").learning_rate) == (0.32, 0.005)
    assert [AnswerSettings(epochs=K).linear_epochs for K in (3, 30, 100)] == [0, 6, 20]
    with pytest.raises(ValueError, match="empty_sentences must"):
        AnswerSettings(empty_sentences=1.0)
