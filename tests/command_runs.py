"""Two short runs that the tests of the commands use: words/ and chars/, and the text of both."""

from run_examples import start, train

from numpylm.data import grammar

CHOICES = {"batch_size": 8, "num_steps": 16, "epochs": 3, "learning_rate": 0.03}


def make_runs(folder):
    """Trains them in the folder."""
    (folder / "text.txt").write_text(grammar.generate_text(2000, 5), encoding="utf-8")
    for name, level in (("words", "word"), ("chars", "char")):
        sizes = {"embedding_dim": 8, "hidden_dim": 16}
        assert train(start(folder / name, str(folder / "text.txt"), options=sizes, level=level, **CHOICES))
    return folder
