"""How models that answer questions train: batches, linear start, empty sentences, scores, and that they learn."""

import numpy as np
import pytest

from numpylm.answer_task import (
    AnswerSettings,
    answer_question,
    answer_task,
    batch_of,
    encode_questions,
    score_questions,
    vocabulary_of,
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
SETTINGS = AnswerSettings(batch_size=16, linear_epochs=1, empty_sentences=0.3)


def test_each_epoch_has_every_question_once_in_an_order_of_its_own_that_a_resumed_run_finds_again():
    task = answer_task(ENCODED, ENCODED, SETTINGS)
    epochs = [list(task.batches(epoch, 0)) for epoch in (0, 1)]
    assert [len(batches) for batches in epochs] == [task.num_batches] * 2 == [7, 7]
    for batches in epochs:
        assert sorted(np.concatenate([batch.answers for batch in batches])) == sorted(one.answer for one in ENCODED)
    assert not np.array_equal(epochs[0][0].answers, epochs[1][0].answers)
    for batch, again in zip(epochs[1][4:], task.batches(1, 4), strict=True):
        np.testing.assert_array_equal(batch.story, again.story)
        np.testing.assert_array_equal(batch.question, again.question)
    assert [batches[-1].linear for batches in epochs] == [True, False]
    assert sum(map(task.num_targets, epochs[0])) == len(QUESTIONS)


def test_empty_sentences_stand_between_the_story_s_own():
    batch = batch_of(ENCODED[:40], rng=np.random.default_rng(0), empty_sentences=0.3)
    assert (batch_of(ENCODED[:40]).story != 0).all()
    num_empty = 0
    for n, one in enumerate(ENCODED[:40]):
        sentences = [[word for word in sentence if word >= 0] for sentence in batch.story[:, n]]
        assert [sentence for sentence in sentences if sentence and sentence != [0]] == one.story
        num_empty += sentences.count([0])
    assert 0.2 < num_empty / sum(len(one.story) for one in ENCODED[:40]) < 0.4


def test_an_answer_of_several_words_is_one_and_unknown_ones_are_never_right():
    assert VOCABULARY.tokens[ENCODED[-1].answer] == "a_big_dog"
    short = vocabulary_of(QUESTIONS[:-1])
    model = MemoryNetwork(len(short), 4, 1, 20)
    (alone,) = encode_questions(short, QUESTIONS[-1:], 20)
    assert alone.answer == -1 and alone.story == [[short.tokens.index("tom"), 0]]
    score = score_questions(model, [alone])
    assert (score.loss, score.accuracy) == (0, 0)
    (cut,) = encode_questions(short, QUESTIONS[:1], 2)
    assert len(cut.story) == 2 and [short.tokens[i] for i in cut.story[1]] == list(QUESTIONS[0].story[-1])


@pytest.mark.parametrize("model", [MemoryNetwork(len(VOCABULARY), 4, 2, 20), Reader(len(VOCABULARY), 4, 6)])
def test_scores_are_the_mean_over_all_questions(model):
    model = model.astype(np.float64)
    nats, right = [], []
    for one in ENCODED:
        batch = batch_of([one])
        logits = model.forward(batch.story, batch.question).logits
        nats.append(surprisal(logits, batch.answers)[0])
        right.append(logits.argmax() == one.answer)
    score = score_questions(model, ENCODED)
    assert score.loss == pytest.approx(np.mean(nats), rel=1e-12)
    assert score.right.tolist() == right


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
    assert reports[-1].note == f"accuracy {100 * score_questions(model, test).accuracy:.1f} %"
    assert score_questions(model, test).accuracy > least  # always the same answer: 0.17
    found = [answer_question(model, VOCABULARY, question) for question in other[:30]]
    assert sum(one.answer == question.answer for one, question in zip(found, other, strict=False)) > 30 * least - 4
    if found[0].p is not None:
        looked = [one.p[-1].argmax() in question.support for one, question in zip(found, other, strict=False)]
        assert sum(looked) > 24 and found[0].p.shape == (1, len(other[0].story))


def test_settings_have_the_rate_of_their_optimizer():
    assert (AnswerSettings().learning_rate, AnswerSettings(optimizer="adam").learning_rate) == (0.32, 0.005)
    with pytest.raises(ValueError, match="empty_sentences must"):
        AnswerSettings(empty_sentences=1.0)
