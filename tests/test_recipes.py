"""The recipes of benchmarks/: well formed, run from end to end on a small text, and committed as they are."""

import csv
import dataclasses
import json
import math
import re

import command_recipe
import pytest
import recipes
from agreement_recipe import train_and_measure
from recipe_list import RECIPES, Recipe, train, translate
from recipe_results import RESULTS, table

import numpylm as nlm
from numpylm.commands import task_command
from numpylm.commands.cli import build_parser
from numpylm.commands.options import chosen
from numpylm.commands.train import KIND, constructor_arguments
from numpylm.commands.translate import TranslationData, TranslationModel
from numpylm.data import grammar
from numpylm.data.pairs import grammar_pairs
from numpylm.kinds.translation_task import TranslationSettings

TEXT = grammar.generate_text(600, 7)
TINY = "--level word --epochs 1 -T 8 -N 4 -D 5 -H 6"
AGREEMENT = [recipe for recipe in RECIPES.values() if recipe.run is train_and_measure]
TRAINED = [recipe for recipe in RECIPES.values() if recipe.run is train] + AGREEMENT
COMMITTED = [recipe for recipe in RECIPES.values() if (RESULTS / f"{recipe.name}.json").exists()]


@pytest.fixture
def command(tmp_path, monkeypatch):
    """recipes.main with the recipe "tiny", whose data and folders are temporary."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tiny.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run(*arguments, options=TINY):
        monkeypatch.setitem(
            RECIPES, "tiny", Recipe("tiny", "a tiny text", "tiny.txt", "12.3", "nobody", train, options)
        )
        return recipes.main([*map(str, arguments), "--results", "results", "--runs", "runs"])

    return run


# The list


def configuration_of(recipe, monkeypatch, folder):
    """The RunConfig that a recipe of the train command starts with, on a corpus in the folder: a file, or a folder."""
    monkeypatch.setattr(task_command, "start_run", lambda out, kind, config, ranks: config)
    corpus = "grammar" if recipe.data is None else folder / recipe.data
    if recipe.data == "ptb":
        corpus.mkdir()
    elif recipe.data is not None:
        corpus.write_text(TEXT, encoding="utf-8")
    options = ["train", "--corpus", str(corpus), *recipe.options.split()]
    return task_command.begin(build_parser().parse_args(options), KIND)


@pytest.mark.parametrize("recipe", TRAINED, ids=lambda recipe: recipe.name)
def test_options_are_those_of_the_train_command_and_the_results(recipe, monkeypatch, tmp_path):
    config = configuration_of(recipe, monkeypatch, tmp_path)
    sizes = constructor_arguments(config.model)
    assert f"{config.settings.epochs} epoch" in recipe.what and config.model.model.upper() in recipe.what
    assert f"{sizes['num_layers']}×{sizes['hidden_dim']}" in recipe.what or f"H = {sizes['hidden_dim']}" in recipe.what
    assert not sizes["dropout"] or f"dropout {sizes['dropout']}" in recipe.what
    if recipe not in AGREEMENT:
        assert f"N = {config.settings.batch_size}, T = {config.settings.num_steps}" in recipe.what
    found = json.loads((RESULTS / f"{recipe.name}.json").read_text(encoding="utf-8"))["configuration"]
    assert found["settings"] == dataclasses.asdict(config.settings) and found["model_options"] == sizes
    assert found["uniform_range"] == config.model.uniform_range and found["level"] == config.data.level
    assert found["corpus"] == (recipe.data or "grammar") and found["split"] == list(config.data.split)


def test_the_cells_of_the_grammar_have_as_many_parameters():
    counts = [json.loads((RESULTS / f"{recipe.name}.json").read_text())["parameters"] for recipe in AGREEMENT]
    assert len(counts) == 3 and max(counts) <= 1.01 * min(counts)


# The command


def test_a_recipe_runs_from_end_to_end_and_a_finished_one_is_not_trained_again(command, tmp_path, capsys):
    assert command("tiny", "data") == 0
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
    before = (tmp_path / "runs" / "tiny" / "best.npz").stat().st_mtime_ns
    capsys.readouterr()
    assert command("tiny", "data") == 0 and "holds this recipe's finished run" in capsys.readouterr().out
    assert (tmp_path / "runs" / "tiny" / "best.npz").stat().st_mtime_ns == before
    assert command("--table") == 0
    assert f"| `tiny` | a tiny text | {fields['parameters']:,} | " in capsys.readouterr().out


def test_without_a_validation_text_nothing_is_chosen_by_the_test_text(command, tmp_path):
    options = "--split 0.9 0 0.1 --epochs 5 -T 8 -N 4 -D 5 -H 6 --schedule constant --learning-rate 0.3"
    fields = train(options, tmp_path / "data" / "tiny.txt", tmp_path / "run").fields
    test = {}
    for name in ("best", "last"):
        model, vocabulary, _ = nlm.load_checkpoint(tmp_path / "run" / f"{name}.npz")
        tokens = nlm.text.encode_stream(vocabulary, TEXT[int(len(TEXT) * 0.9) :])
        test[name] = nlm.evaluation.evaluate(model, tokens).loss
    assert test["best"] < test["last"] - 0.05, "an earlier epoch was better"
    assert fields["test"] == pytest.approx(test["last"], rel=1e-6) and fields["valid"] is None
    assert fields["test_perplexity"] == pytest.approx(math.exp(test["last"]), rel=1e-6)


def test_a_stopped_recipe_goes_on_with_the_same_options_alone(command, tmp_path, monkeypatch, capsys):
    trained = []
    monkeypatch.setattr(command_recipe, "numpylm", lambda arguments: trained.append(arguments[1]) or 130)
    assert command("tiny", "data") == 130
    assert "the same command goes on" in capsys.readouterr().err and not (tmp_path / "results").exists()
    (tmp_path / "runs" / "tiny" / "last.npz").write_bytes(b"")
    assert command("tiny", "data") == 130 and trained == ["--corpus", "--resume"]
    assert command("tiny", "data", options=f"{TINY} --seed 1") == 2
    assert f"holds a run of other options, {TINY}: remove it first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no recipe is named; the recipes are ptb-100"),
        (("transformer",), "there is no recipe 'transformer'; the recipes are ptb-100"),
        (("tiny",), "tiny needs a data folder: python benchmarks/recipes.py tiny DATA_FOLDER"),
        (("ptb-100", "data"), "ptb-100 needs data/ptb, which does not exist"),
    ],
)
def test_what_is_missing_is_said(command, capsys, arguments, message):
    assert command(*arguments) == 2
    assert message in capsys.readouterr().err.replace("\\", "/")


def test_a_translation_recipe_runs_from_end_to_end(tmp_path):
    pytest.importorskip("sacrebleu")
    path = tmp_path / "pairs.tsv"
    parts = grammar_pairs(60, 5, 5, 1).values()
    path.write_text("".join(f"{s}\t{t}\n" for part in parts for s, t in part), encoding="utf-8")
    fields = translate("--epochs 1 -D 5 -H 6", path, tmp_path / "run", threads=1).fields
    assert (fields["unit"], fields["configuration"]["data"]["train"]) == ("BLEU", "pairs.tsv")
    assert 0 <= fields["test"] < 50 and fields["target_baselines"]["unigram"] > fields["target_baselines"]["5-gram"]


# The committed results


@pytest.mark.parametrize("path", sorted(RESULTS.glob("**/*.json")), ids=lambda path: path.name)
def test_a_committed_result_holds_no_path_of_a_machine(path):
    assert re.findall(r"""["'\s=]/\w.*""", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("recipe", [one for one in COMMITTED if one not in TRAINED], ids=lambda recipe: recipe.name)
def test_a_committed_result_is_that_of_the_recipe_as_it_is(recipe):
    found = json.loads((RESULTS / f"{recipe.name}.json").read_text(encoding="utf-8"))["configuration"]
    if recipe.run is translate:
        options = build_parser().parse_args(["translate", *recipe.options.split()])
        assert found["model"] == dataclasses.asdict(chosen(TranslationModel, options))
        assert found["settings"] == dataclasses.asdict(chosen(TranslationSettings, options))
        assert found["data"] == dataclasses.asdict(chosen(TranslationData, options)) | {"train": found["data"]["train"]}
    else:
        assert found == recipe.options


def test_the_readme_of_the_benchmarks_shows_these_results():
    readme = (RESULTS.parent / "README.md").read_text(encoding="utf-8")
    assert len(COMMITTED) > 20 and table(RECIPES.values(), RESULTS) in readme
    assert max((RESULTS / f"{recipe.name}.csv").stat().st_size for recipe in COMMITTED) < 100_000
    links = re.findall(r"\]\(([^)#]+)\)", readme)
    assert len(links) > 5 and [link for link in links if not (RESULTS.parent / link).exists()] == []
