"""What a run's folder may hold, and how its configuration is kept."""

import json

import pytest
from run_examples import config_of

from numpylm.commands import run_folder, train
from numpylm.commands.run_folder import RunError, read_config, write_config
from numpylm.commands.train import open_corpus
from numpylm.data.corpora import Corpus
from numpylm.data.text import build_vocabulary

CONFIG = config_of("book\udcff é.txt", {"model": "gru", "hidden_dim": 8}, "char", epochs=None, minutes=0.5)


def test_a_configuration_comes_back_as_it_was(tmp_path):
    write_config(tmp_path, CONFIG)
    assert read_config(tmp_path) == CONFIG
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        *((None, {"task": task}) for task in ("writing", None, 3)),
        *((None, changed) for changed in ({"surplus": 1}, {"settings": 3}, {"data": []}, {"data_sha256": 5})),
        *(("settings", changed) for changed in ({"epochs": -1}, {"epochs": "3"}, {"seed": True}, {"max_norm": None})),
        *(("settings", changed) for changed in ({"learning_rate": float("nan")}, {"minutes": 1e999}, {"more": 1})),
        *(("model", changed) for changed in ({"model": "cnn"}, {"hidden_dim": 1.5}, {"forget_bias": 1.0})),
        *(("data", changed) for changed in ({"min_count": 0}, {"corpus": None}, {"split": "x"})),
    ],
    ids=str,
)
def test_a_choice_that_cannot_be_is_refused(tmp_path, part, changed):
    write_config(tmp_path, CONFIG)
    read = json.loads((tmp_path / "config.json").read_text())
    (read if part is None else read[part]).update(changed)
    (tmp_path / "config.json").write_text(json.dumps(read))
    with pytest.raises(RunError, match=r"config\.json is damaged(, or another version of numpylm wrote it)?: "):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        *((content, "is damaged") for content in ("{", "[]", "{}", '{"task": "language"}', "\xff", "[" * 10**5)),
        (" " * (2**22 + 1), "is damaged"),
        ('{"corpus": "grammar", "model": "lstm", "settings": {}}', "or another version of numpylm wrote it"),
    ],
)
def test_a_damaged_or_old_configuration_is_refused(tmp_path, content, message):
    (tmp_path / "config.json").write_text(content, encoding="latin-1")
    with pytest.raises(RunError, match=rf"config\.json .*{message}"):
        read_config(tmp_path)


def test_a_free_folder_is_one_that_does_not_exist_yet(tmp_path):
    for expected in ("run", "run-2", "run-3"):
        folder = run_folder.free_folder(tmp_path, "run")
        assert folder == tmp_path / expected
        folder.mkdir()


def test_the_fingerprint_tells_texts_apart_wherever_they_differ(monkeypatch):
    def fingerprint(corpus):
        monkeypatch.setattr(train, "load_corpus", lambda *choices: corpus)
        return open_corpus(CONFIG.data, build_vocabulary("abc", "char")).sha256

    corpora = [("a", "b", "c"), ("ab", "", "c"), ("a", "b", "d"), ("a", "bc", ""), ("\udcff", "b", "c")]
    fingerprints = {fingerprint(Corpus("name", *parts)) for parts in corpora}
    assert len(fingerprints) == len(corpora)
    assert fingerprint(Corpus("x", "a", "b", "c")) in fingerprints, "the name does not count"
