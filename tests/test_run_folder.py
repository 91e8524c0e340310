"""What a run's folder may hold, and how its configuration is kept."""

import json

import pytest

from numpylm.commands import run_folder
from numpylm.commands.run_folder import RunConfig, RunError
from numpylm.data.corpora import Corpus
from numpylm.training import Settings

CONFIG = RunConfig("gru", {"hidden_dim": 8}, "book\udcff é.txt", "char", 2, None, Settings(minutes=0.5), "abc")


def test_a_configuration_comes_back_as_it_was(tmp_path):
    run_folder.write_config(tmp_path, CONFIG)
    assert run_folder.read_config(tmp_path) == CONFIG
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"settings": {}}', '{"settings": {"epochs": -1}}', "\xff"])
def test_a_damaged_configuration_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_text(content, encoding="latin-1")
    with pytest.raises(RunError, match=r"config\.json is damaged"):
        run_folder.read_config(tmp_path)


def test_a_folder_without_a_configuration_holds_no_run(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for folder in (tmp_path, tmp_path / "nowhere", file):
        with pytest.raises(RunError, match=r"holds no run: there is no .*config\.json"):
            run_folder.read_config(folder)


@pytest.mark.parametrize("name", run_folder.FILES)
def test_a_folder_that_holds_any_file_of_a_run_is_not_free(tmp_path, name):
    run_folder.check_free(tmp_path)
    run_folder.check_free(tmp_path / "new")
    (tmp_path / "notes.txt").write_text("someone else's")
    run_folder.check_free(tmp_path)
    (tmp_path / name).write_text("precious")
    with pytest.raises(RunError, match=f"already holds a run .{name}.*--resume.*--out"):
        run_folder.check_free(tmp_path)
    with pytest.raises(RunError, match="is a file"):
        run_folder.check_free(tmp_path / name)


def test_a_free_folder_is_one_that_does_not_exist_yet(tmp_path):
    for expected in ("run", "run-2", "run-3"):
        folder = run_folder.free_folder(tmp_path, "run")
        assert folder == tmp_path / expected
        folder.mkdir()


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    run_folder.write_json(path, {"number": 1.5, "nothing": None})
    with pytest.raises(ValueError, match="JSON"):
        run_folder.write_json(path, {"number": float("nan")})
    assert json.loads(path.read_text(encoding="utf-8")) == {"number": 1.5, "nothing": None}


def test_the_fingerprint_tells_texts_apart_wherever_they_differ():
    corpora = [("a", "b", "c"), ("ab", "", "c"), ("a", "b", "d"), ("a", "bc", ""), ("\udcff", "b", "c")]
    fingerprints = {run_folder.fingerprint(Corpus("name", *parts, "")) for parts in corpora}
    assert len(fingerprints) == len(corpora)
    assert run_folder.fingerprint(Corpus("x", "a", "b", "c", "")) in fingerprints, "the name does not count"


def test_what_is_not_finite_becomes_null():
    values = (1.5, 0, float("inf"), float("nan"), None)
    assert [run_folder.finite_or_none(value) for value in values] == [1.5, 0, None, None, None]
