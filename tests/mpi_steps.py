"""Twenty training steps of each kind as one rank of several: python mpi_steps.py FOLDER KIND-OPTIMIZER ….

For test_data_parallel.py. Rank 0 writes what came out to FOLDER/KIND-OPTIMIZER-K.npz: the loss of each step and of the
validation, and all parameters.
"""

import sys
from pathlib import Path

import numpy as np

import numpylm as nlm
from numpylm.base.data_parallel import data_parallel
from numpylm.base.ranks import checksum
from numpylm.commands.mpi import ranks as joined_ranks
from numpylm.commands.mpi import run_as_rank
from numpylm.data.stories import Question
from numpylm.data.text import Vocabulary
from numpylm.kinds.answer_task import AnswerSettings, answer_task, encode_questions
from numpylm.kinds.language_task import LanguageSettings, language_task
from numpylm.kinds.transcription_task import SpeechSettings, transcription_task, with_labels
from numpylm.kinds.translation_task import EncodedPairs, TranslationSettings, translation_task
from numpylm.memory_network import MemoryNetwork
from numpylm.reader import Reader
from numpylm.training import Progress, make_optimizer, training
from numpylm.transcription import AcousticModel
from numpylm.translation import EncoderDecoder

STEPS = 20
RATES = {"sgd": 0.5, "adam": 0.01}


def language(options, batch_size=5):
    """Five streams: shares are uneven for K = 2 and 3. Line ends restart streams."""
    tokens = np.random.default_rng(1).integers(0, 7, 700)
    settings = LanguageSettings(batch_size=batch_size, num_steps=6, epochs=1, restart_probability=0.5, **options)
    model = nlm.LSTMLM(7, 4, 6, num_layers=2, dropout=0.3, dropout_kind="variational", dtype=np.float64, seed=1)
    return language_task(tokens, tokens[:90], settings, line_end=3), model, settings


def few(options):
    """Two streams: of three ranks, one has none."""
    return language(options, batch_size=2)


def translation(options):
    """Pairs of unequal lengths, with padding and dropout; the last batch of an epoch is smaller."""
    rng = np.random.default_rng(2)
    sources, targets = ([rng.integers(1, 8, rng.integers(2, 7)) for _ in range(33)] for _ in range(2))
    pairs = EncodedPairs(sources, [np.append(target, 1) for target in targets], 1)
    settings = TranslationSettings(batch_size=5, epochs=3, **options)
    model = EncoderDecoder(8, 8, embedding_dim=4, hidden_dim=6, dropout=0.3, dtype=np.float64, seed=1)
    return translation_task(pairs, pairs, settings), model, settings


def speech(options):
    """Utterances of which some say nothing: a rank may have no target at all."""
    rng = np.random.default_rng(3)
    vocabulary = nlm.build_vocabulary("abcabcabc", "char")
    texts = ["abc", "", "", "ab", "", "c", "a"] * 4
    utterances = with_labels(
        vocabulary, [(str(n), rng.normal(size=(6 + n % 4, 3)), text) for n, text in enumerate(texts)]
    )
    settings = SpeechSettings(batch_size=4, epochs=3, **options)
    model = AcousticModel(len(vocabulary) - 1, 3, hidden_dim=6, num_layers=1, dtype=np.float64, seed=1)
    return transcription_task(utterances, utterances[:9], settings, "character"), model, settings


def answers(options):
    """Stories of unequal lengths, read by a recurrent reader with dropout."""
    rng = np.random.default_rng(4)
    questions = [
        Question([rng.choice(list("abcdefg"), rng.integers(1, 5)) for _ in range(rng.integers(1, 4))], "bc", word, ())
        for word in "abcdefgh" * 5
    ]
    questions = encode_questions(Vocabulary("word", ("<unk>", "<eos>", *"abcdefgh")), questions, 3)
    settings = AnswerSettings(batch_size=6, epochs=3, **options)
    model = Reader(10, embedding_dim=4, hidden_dim=6, dropout=0.3, dtype=np.float64, seed=1)
    return answer_task(questions, questions.part(slice(9)), settings), model, settings


def hops(options):
    """The same questions for a memory network, whose first epochs are linear."""
    task, _, settings = answers(options | {"linear_epochs": 1})
    return task, MemoryNetwork(10, embedding_dim=4, num_sentences=3, dtype=np.float64, seed=1), settings


def main(folder, *names):
    """One start of the processes serves all names: a start takes longer than the steps."""
    ranks = joined_ranks()
    for name in names:
        result = twenty_steps(ranks, *name.split("-"))
        if ranks.rank == 0:
            np.savez(Path(folder) / f"{name}-{ranks.size}.npz", **result)
    return 0


def twenty_steps(ranks, kind, optimizer):
    options = {"optimizer": optimizer, "learning_rate": RATES[optimizer], "schedule": "constant", "max_norm": 1.0}
    task, model, settings = globals()[kind](options)
    task = data_parallel(task, ranks)
    progress = Progress(np.random.default_rng(5))
    losses = []
    for report in training(task, model, make_optimizer(settings), settings, progress, ranks.clock):
        losses.append(getattr(report, "loss", 0.0))
        ranks.require_same("the parameters", checksum(model.parameters().values()))
        ranks.require_same("the generator", str(progress.rng.bit_generator.state))
        if progress.step == STEPS:
            break
    assert progress.step == STEPS
    return {"losses": losses, "valid": task.validate(model).loss, **model.parameters()}


if __name__ == "__main__":
    sys.exit(run_as_rank(lambda arguments: main(*arguments), sys.argv[1:]))
