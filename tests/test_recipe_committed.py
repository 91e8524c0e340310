"""The committed results of the recipes: made with the recipes as they are, and what their rows say."""

import dataclasses
import json
import re

import pytest
from recipe_list import MEMORY, ONE_PASS, RECIPES, SPEECH, TRANSLATION
from recipe_results import RESULTS, table
from test_recipes import configuration_of

from numpylm.commands.cli import build_parser
from numpylm.commands.model_choices import constructor_arguments
from numpylm.commands.options import chosen
from numpylm.commands.translate import TranslationData, TranslationModel
from numpylm.translation_task import TranslationSettings


@pytest.mark.parametrize("path", sorted(RESULTS.glob("**/*.json")), ids=lambda path: path.name)
def test_a_committed_result_holds_no_path_of_a_machine(path):
    assert re.findall(r"""["'\s=]/\w.*""", path.read_text(encoding="utf-8")) == []


COMMITTED = [recipe for recipe in RECIPES.values() if (RESULTS / f"{recipe.name}.json").exists()]


def committed(recipe):
    return json.loads((RESULTS / f"{recipe.name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("recipe", COMMITTED, ids=lambda recipe: recipe.name)
def test_a_committed_result_is_that_of_the_recipe_as_it_is(recipe, monkeypatch, tmp_path):
    fields = committed(recipe)
    if recipe in ONE_PASS + MEMORY + SPEECH:
        assert fields["configuration"] == recipe.measure.args[0]
    elif recipe in TRANSLATION:
        options = build_parser().parse_args(["translate", *recipe.measure.args[0].split()])
        found = fields["configuration"]
        assert found["model"] == dataclasses.asdict(chosen(TranslationModel, options))
        assert found["settings"] == dataclasses.asdict(chosen(TranslationSettings, options))
        assert found["data"] == dataclasses.asdict(chosen(TranslationData, options)) | {"train": found["data"]["train"]}
    else:
        expected = configuration_of(recipe, monkeypatch, tmp_path)
        found = fields["configuration"]
        assert found["settings"] == dataclasses.asdict(expected.settings)
        assert found["model_options"] == constructor_arguments(expected.model)
        assert found["uniform_range"] == expected.model.uniform_range
        assert found["corpus"] == (recipe.data or "grammar") and found["level"] == expected.data.level
        assert found["split"] == list(expected.data.split)
    assert (RESULTS / f"{recipe.name}.csv").stat().st_size < 100_000


def test_the_readme_of_the_benchmarks_shows_these_results():
    readme = (RESULTS.parent / "README.md").read_text(encoding="utf-8")
    assert table(RECIPES.values(), RESULTS) in readme
    links = re.findall(r"\]\(([^)#]+)\)", readme)
    assert len(links) > 5 and [link for link in links if not (RESULTS.parent / link).exists()] == []
