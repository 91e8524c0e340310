import numpy as np
import pytest

from numpylm.data.pairs import Pair
from numpylm.data.text import build_vocabulary
from numpylm.kinds.translation_task import (
    TranslationSettings,
    attention_weights,
    bleu,
    encode_pairs,
    score_pairs,
    translate_lines,
    translation_task,
)
from numpylm.loss import surprisal
from numpylm.training import Progress, make_optimizer, training
from numpylm.translation import EncoderDecoder

LETTERS = "abcde"


def reversed_pairs(num, seed=0):
    """A language whose translation is the words in reverse order, in capitals."""
    rng = np.random.default_rng(seed)
    lines = [rng.choice(list(LETTERS), rng.integers(1, 6)) for _ in range(num)]
    return [Pair(" ".join(line), " ".join(line[::-1]).upper()) for line in lines]


PAIRS = reversed_pairs(150)
VOCABULARIES = {
    side: build_vocabulary("".join(getattr(pair, side) + "\n" for pair in PAIRS), "word") for side in Pair._fields
}
ENCODED = encode_pairs(VOCABULARIES, PAIRS)
SETTINGS = TranslationSettings(batch_size=16, epochs=40, learning_rate=0.01)


def small_model(**kind):
    return EncoderDecoder(len(VOCABULARIES["source"]), len(VOCABULARIES["target"]), 12, 24, cell="gru", **kind)


def test_each_epoch_has_every_pair_once_in_an_order_of_its_own_that_a_resumed_run_finds_again():
    task = translation_task(ENCODED, ENCODED, SETTINGS)
    epochs = [list(task.batches(epoch, 0)) for epoch in (0, 1)]
    assert [len(batches) for batches in epochs] == [task.num_batches, task.num_batches] == [10, 10]
    expected = sorted(ids.tolist() for ids in ENCODED.targets)
    for batches in epochs:
        targets = [column[column >= 0].tolist() for batch in batches for column in batch.targets.T]
        assert sorted(targets) == expected
    together = [{frozenset(map(tuple, batch.targets.T.tolist())) for batch in batches} for batches in epochs]
    assert together[0] != together[1]
    for batch, again in zip(epochs[1][7:], task.batches(1, 7), strict=True):
        np.testing.assert_array_equal(batch.targets, again.targets)
    padding = sum((batch.targets < 0).sum() for batch in epochs[0]) / sum(batch.targets.size for batch in epochs[0])
    assert padding < 0.15
    assert sum(map(task.num_targets, epochs[0])) == sum(map(len, ENCODED.targets))


def test_scores_are_the_mean_over_all_target_tokens():
    model = small_model(dtype=np.float64)
    pairs = encode_pairs(VOCABULARIES, PAIRS[:70])  # more than are translated at once
    nats = []
    for source, target in zip(pairs.sources, pairs.targets, strict=True):
        inputs = np.array([pairs.end, *target[:-1]])[:, None]
        nats += surprisal(model.forward(source[:, None], inputs).logits, target[:, None]).ravel().tolist()
    score = score_pairs(model, pairs)
    assert score.loss == pytest.approx(np.mean(nats), rel=1e-12)
    assert (score.num_tokens, score.num_unknown) == (len(nats), 0)


def test_training_learns_to_reverse_and_attention_looks_at_the_word_that_is_translated():
    model = small_model()
    progress = Progress(np.random.default_rng(0))
    task = translation_task(ENCODED, ENCODED, SETTINGS)
    reports = list(training(task, model, make_optimizer(SETTINGS), SETTINGS, progress))
    assert reports[-1].valid_loss < 0.1 < reports[10].valid_loss
    assert progress.carried is None and progress.tokens == 40 * sum(map(len, ENCODED.targets))
    unseen = [pair for pair in reversed_pairs(100, seed=1) if pair not in PAIRS][:20]
    found = translate_lines(model, VOCABULARIES, [pair.source for pair in unseen], width=3, n_best=2)
    assert sum(best[0][0] == pair.target for best, pair in zip(found, unseen, strict=True)) >= 12
    assert all(best[0][1].score >= best[1][1].score for best in found)
    alpha, source, target = attention_weights(model, VOCABULARIES, "a b c d e", "E D C B A")
    assert (source, target) == ([*"abcde", "<eos>"], [*"EDCBA", "<eos>"])
    assert alpha.shape == (6, 6)
    np.testing.assert_allclose(alpha.sum(axis=1), 1, rtol=1e-5)


def test_bleu_of_the_reference_is_100():
    pytest.importorskip("sacrebleu")
    score, signature = bleu(["a b c d e"], ["a b c d e"], "word")
    assert score == pytest.approx(100) and "tok:none" in signature
    assert bleu(["甲乙丙丁"], ["甲乙丙丁"], "char")[0] == pytest.approx(100)
    assert bleu(["x y"], ["a b c d e"], "word")[0] < 5
