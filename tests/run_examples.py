"""Small runs for the tests of training: their choices, how they are stopped, and all that they leave."""

from dataclasses import replace

import numpylm as nlm
from numpylm.checkpoint import save_checkpoint
from numpylm.commands import run as runs
from numpylm.commands.run import resume_run, train
from numpylm.commands.run_folder import RunConfig
from numpylm.commands.run_record import Metrics
from numpylm.commands.train import KIND, CorpusChoices, ModelChoices
from numpylm.data import grammar
from numpylm.data.metrics import read_metrics
from numpylm.kinds.language_task import LanguageSettings

SETTINGS = LanguageSettings(batch_size=4, num_steps=8, epochs=2, learning_rate=0.05)
NUM_BATCHES = 16  # of the first 600 words or so, four fifths are trained on, in 4 streams of 8 steps
TIMES = ("seconds", "step_seconds", "tokens_per_second")


def write_corpus(folder, num_words=600, seed=7):
    """The path of a text in the folder."""
    path = folder / "tiny.txt"
    path.write_text(grammar.generate_text(num_words, seed), encoding="utf-8")
    return str(path)


def config_of(corpus, options=None, level="word", split=(0.8, 0.1, 0.1), **settings):
    """The choices of a small language model; options are the model's."""
    model = ModelChoices(**{"embedding_dim": 5, "hidden_dim": 6} | (options or {}))
    data = CorpusChoices(corpus, split, level)
    return RunConfig("language", model, replace(SETTINGS, **settings), data)


def start(folder, corpus, **choices):
    """A Run of config_of's choices."""
    return runs.start_run(folder, KIND, config_of(corpus, **choices))


def make_runs(folder):
    """Trains two short runs in the folder that the tests of the commands use, words/ and chars/; text.txt is theirs."""
    (folder / "text.txt").write_text(grammar.generate_text(2000, 5), encoding="utf-8")
    choices = {"batch_size": 8, "num_steps": 16, "epochs": 3, "learning_rate": 0.03}
    for name, level in (("words", "word"), ("chars", "char")):
        sizes = {"embedding_dim": 8, "hidden_dim": 16}
        assert train(start(folder / name, str(folder / "text.txt"), options=sizes, level=level, **choices))
    return folder


def stop_after(monkeypatch, num_reports):
    """Makes the next training believe that Ctrl-C was pressed before its report of that number (counted from 1)."""

    class Interrupts:
        def __enter__(self):
            self.remaining = num_reports
            return self

        def __exit__(self, *exception):
            pass

        @property
        def requested(self):
            self.remaining -= 1
            return self.remaining <= 0

    monkeypatch.setattr(runs, "Interrupts", Interrupts)


class Killed(BaseException):
    """Stands for a kill -9: nothing of the package catches it."""


def kill_at(monkeypatch, number):
    """Makes the process die before the write of that number (a checkpoint or a row); later ones never happen."""
    count = iter(range(1, 1000))

    def dying(write):
        def wrapped(*arguments, **options):
            if next(count) >= number:
                raise Killed
            return write(*arguments, **options)

        return wrapped

    monkeypatch.setattr(runs, "save_checkpoint", dying(save_checkpoint))
    monkeypatch.setattr(Metrics, "_write", dying(Metrics._write))


def resume_until_done(monkeypatch, folder, stops):
    """Resumes a run, stopping after the given numbers of reports, and at last to its end."""
    for num_reports in stops:
        stop_after(monkeypatch, num_reports)
        assert not train(resume_run(folder))
    monkeypatch.undo()
    assert train(resume_run(folder))


def state_of(folder):
    """All that a run's files hold, but for the time that it took."""
    model, vocabulary, record = nlm.load_checkpoint(folder / "last.npz")
    arrays = model.parameters() | record.arrays
    return {
        "vocabulary": vocabulary,
        "training": {name: value for name, value in record.fields.items() if name not in TIMES},
        "arrays": {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()},
        "rows": [
            {name: row[name] for name in row if name not in TIMES} for row in read_metrics(folder / "metrics.csv")
        ],
        "best": (folder / "best.npz").read_bytes() if (folder / "best.npz").exists() else None,
    }


def assert_same_state(folder, expected):
    """Fails at the first kind of thing that differs, so that a failure can be read."""
    state = state_of(folder)
    for name in expected:
        if name == "arrays":
            differing = [key for key in expected[name] if state[name].get(key) != expected[name][key]]
            assert differing == [] and state[name].keys() == expected[name].keys()
        assert state[name] == expected[name], name
