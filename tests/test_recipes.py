"""The recipes of benchmarks/: well formed, run from end to end on a small text, committed as they are."""

import csv
import json
import math
from functools import partial

import pytest
import recipes
import train_recipe
import translation_recipe
from recipe_list import AGREEMENT, RECIPES, TRAINED, Recipe

import numpylm as nlm
from numpylm.commands import task_command
from numpylm.commands.cli import build_parser
from numpylm.commands.model_choices import constructor_arguments
from numpylm.commands.train import KIND
from numpylm.data import grammar
from numpylm.data.grammar.pairs import grammar_pairs

TEXT = grammar.generate_text(600, 7)
TINY = "--level word --epochs 1 -T 8 -N 4 -D 5 -H 6"


def tiny_recipe(options=TINY, data="tiny.txt"):
    return Recipe("tiny", "a tiny text", data, "12.3", "nobody, 1999", partial(train_recipe.train, options))


@pytest.fixture
def data(tmp_path):
    """A data folder with one text."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "tiny.txt").write_text(TEXT, encoding="utf-8")
    return folder


@pytest.fixture
def command(tmp_path, monkeypatch):
    """recipes.main with the recipe "tiny", whose folders are temporary."""
    monkeypatch.setitem(RECIPES, "tiny", tiny_recipe())
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: recipes.main([*map(str, arguments), "--results", "results", "--runs", "runs"])


# The list


def configuration_of(recipe, monkeypatch, folder):
    """The RunConfig that a recipe of the train command starts with, on a corpus in the folder: a file, or a folder."""
    monkeypatch.setattr(task_command, "start_run", lambda out, kind, config, ranks: config)
    corpus = "grammar" if recipe.data is None else folder / recipe.data
    if recipe.data == "ptb":
        corpus.mkdir()
    elif recipe.data is not None:
        corpus.write_text(TEXT, encoding="utf-8")
    (options,) = recipe.measure.args
    return task_command.begin(build_parser().parse_args(["train", "--corpus", str(corpus), *options.split()]), KIND)


@pytest.mark.parametrize("recipe", TRAINED + AGREEMENT, ids=lambda recipe: recipe.name)
def test_options_are_those_of_the_train_command(recipe, monkeypatch, tmp_path):
    config = configuration_of(recipe, monkeypatch, tmp_path)
    sizes = constructor_arguments(config.model)
    assert f"{config.settings.epochs} epoch" in recipe.what and config.model.model.upper() in recipe.what
    assert f"{sizes['num_layers']}×{sizes['hidden_dim']}" in recipe.what or f"H = {sizes['hidden_dim']}" in recipe.what
    if sizes["dropout"]:
        assert f"dropout {sizes['dropout']}" in recipe.what
    if recipe in TRAINED:
        assert f"N = {config.settings.batch_size}, T = {config.settings.num_steps}" in recipe.what


def test_the_cells_of_the_grammar_have_as_many_parameters(monkeypatch, tmp_path):
    counts = []
    for recipe in AGREEMENT:
        config = configuration_of(recipe, monkeypatch, tmp_path)
        model = nlm.model.MODELS[config.model.model](vocab_size=104, **constructor_arguments(config.model))
        counts.append(sum(array.size for array in model.parameters().values()))
    assert max(counts) <= 1.01 * min(counts)


# The command


def test_a_recipe_runs_from_end_to_end(command, data, tmp_path, capsys):
    assert command("tiny", data) == 0
    fields = json.loads((tmp_path / "results" / "tiny.json").read_text(encoding="utf-8"))
    summary = json.loads((tmp_path / "runs" / "tiny" / "summary.json").read_text(encoding="utf-8"))
    assert fields["command"] == "python benchmarks/recipes.py tiny DATA_FOLDER" and fields["unit"] == "perplexity"
    assert fields["test"] == summary["test_perplexity"] and fields["valid"] == summary["valid_perplexity"]
    assert fields["seconds"] == summary["seconds"] and fields["parameters"] == summary["parameters"]
    assert fields["configuration"]["corpus"] == "tiny.txt", "no path of this machine"
    assert fields["configuration"]["model_options"]["hidden_dim"] == 6
    assert fields["configuration"]["settings"]["num_steps"] == 8
    with open(tmp_path / "results" / "tiny.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert math.exp(float(rows[-1]["valid_loss"])) == pytest.approx(fields["valid"], rel=1e-4)
    capsys.readouterr()
    assert command("--table") == 0
    assert f"| `tiny` | a tiny text | {fields['parameters']:,} | " in capsys.readouterr().out


def test_without_a_validation_text_nothing_is_chosen_by_the_test_text(data, tmp_path):
    options = "--split 0.9 0 0.1 --epochs 5 -T 8 -N 4 -D 5 -H 6 --schedule constant --learning-rate 0.3"
    fields = train_recipe.train(options, data / "tiny.txt", tmp_path / "run").fields
    test = {}
    for name in ("best", "last"):
        model, vocabulary, _ = nlm.load_checkpoint(tmp_path / "run" / f"{name}.npz")
        tokens = nlm.text.encode_stream(vocabulary, TEXT[int(len(TEXT) * 0.9) :])
        test[name] = nlm.evaluation.evaluate(model, tokens).loss
    assert test["best"] < test["last"] - 0.05, "an earlier epoch was better"
    assert fields["test"] == pytest.approx(test["last"], rel=1e-6) and fields["valid"] is None
    assert fields["test_perplexity"] == pytest.approx(math.exp(test["last"]), rel=1e-6)


def test_a_finished_recipe_is_not_trained_again_and_a_stopped_one_goes_on(command, data, tmp_path, monkeypatch, capsys):
    trained = []

    def stopped(arguments):
        trained.append(arguments[:2])
        return 130

    monkeypatch.setattr(train_recipe, "numpylm", stopped)
    assert command("tiny", data) == 130
    assert "the same command goes on" in capsys.readouterr().err and not (tmp_path / "results").exists()
    (tmp_path / "runs" / "tiny" / "last.npz").write_bytes(b"")
    assert command("tiny", data) == 130
    assert [arguments[1] for arguments in trained] == ["--corpus", "--resume"]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(RECIPES, "tiny", tiny_recipe())
    (tmp_path / "runs" / "tiny" / "last.npz").unlink()
    assert command("tiny", data) == 0
    before = (tmp_path / "runs" / "tiny" / "best.npz").stat().st_mtime_ns
    assert command("tiny", data) == 0
    assert "holds this recipe's finished run" in capsys.readouterr().out
    assert (tmp_path / "runs" / "tiny" / "best.npz").stat().st_mtime_ns == before


def test_a_run_of_other_options_is_not_gone_on_with(command, data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train_recipe, "numpylm", lambda arguments: 130)
    assert command("tiny", data) == 130
    monkeypatch.setitem(RECIPES, "tiny", tiny_recipe(f"{TINY} --seed 1"))
    assert command("tiny", data) == 2
    assert f"holds a run of other options, {TINY}: remove it first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no recipe is named; the recipes are ptb-100"),
        (("transformer",), "there is no recipe 'transformer'; the recipes are ptb-100"),
        (("tiny",), "tiny needs a data folder: python benchmarks/recipes.py tiny DATA_FOLDER"),
        (("tiny", "nowhere"), "tiny needs nowhere/tiny.txt, which does not exist"),
        (("ptb-100", "data"), "ptb-100 needs data/ptb, which does not exist"),
    ],
)
def test_what_is_missing_is_said(command, data, capsys, arguments, message):
    assert command(*arguments) == 2
    assert message in capsys.readouterr().err.replace("\\", "/")


# Results


# Translation


def test_a_translation_recipe_runs_from_end_to_end(tmp_path):
    pairs = grammar_pairs(60, 5, 5, 1)
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{s}\t{t}\n" for part in pairs.values() for s, t in part), encoding="utf-8")
    fields = translation_recipe.translate("--epochs 1 -D 5 -H 6", path, tmp_path / "run", threads=1).fields
    assert (fields["unit"], fields["configuration"]["data"]["train"]) == ("BLEU", "pairs.tsv")
    assert 0 <= fields["test"] < 50 and fields["target_baselines"]["unigram"] > fields["target_baselines"]["5-gram"]
