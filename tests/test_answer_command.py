"""The answer command: trained on the built-in stories and on files, used, measured."""

import json
from types import SimpleNamespace

import pytest
from calls import call_in, output_in

from numpylm.commands.answer import KIND, AnswerChoices, AnswerData, AnswerModel, open_data, read_parts, use
from numpylm.commands.run_folder import RunConfig
from numpylm.data.stories import read_stories
from numpylm.kinds.answer_task import AnswerSettings

STORY = "1 Mia walks into the {0}.\n2 Tom goes to the {1}.\n3 Where is Mia?\t{0}\t1\n4 Where is Tom?\t{1}\t2\n"
PLACES = ("cellar", "garden", "old harbour")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with small runs: of a memory network on the built-in stories, of both models on bAbI's format."""
    folder = tmp_path_factory.mktemp("answer")
    small = "--num-questions 300 --epochs 2 -D 8 --hops 2 --out small"
    (folder / "small.out").write_text(output_in(folder, "answer", *small.split()), encoding="utf-8")
    stories = "".join(STORY.format(a, b) for a in PLACES for b in PLACES) * 5
    (folder / "babi").mkdir()
    for name in ("qa1_places_train.txt", "qa1_places_test.txt", "qa2_places_train.txt", "qa2_places_test.txt"):
        (folder / "babi" / name).write_text(stories)
    (folder / "broken.txt").write_text("1 Mia sits.\nTom sits.\n")
    (folder / "few.txt").write_text(STORY.format("cellar", "garden"))
    learn = ["--train", "babi", "--epochs", "15", "-N", "8", "--task"]
    output_in(folder, "answer", *learn, "1", "-D", "16", "--hops", "1", "--linear-epochs", "2", "--out", "memory")
    reader = ["--model", "gru", "-H", "24", "--learning-rate", "0.02", "--out", "reader"]
    out = output_in(folder, "answer", *learn, "1,2", *reader)
    assert out.split("Unseen stories")[1].count("mia walks into the ") == 2, "a reader's examples show the story too"
    return folder


def read(folder, run, name):
    return json.loads((folder / run / name).read_text())


def test_a_run_on_the_built_in_stories_shows_its_answers_and_where_it_looked(folder):
    out = (folder / "small.out").read_text(encoding="utf-8")
    for expected in (
        "corpus  the built-in stories: 300 train, 600 valid, 1,200 test questions\n",
        "model   memory network, D=8, K=2, S=50, tying adjacent, N=32\n",
        "right  majority  chance\n",
        "  is it so ",
        "  hop 0  hop 1\n",
        " would be right\n",
        "answer small",
    ):
        assert expected in out, expected
    files = {path.name for path in (folder / "small").iterdir()}
    assert {"hops.png", "best.npz", "last.npz", "metrics.csv", "summary.json", "learning_curve.png"} <= files
    summary = read(folder, "small", "summary.json")
    assert 0.15 < summary["accuracy_majority"] < 0.4 and 0 < summary["accuracy"] <= 1 and summary["seconds"] > 0
    assert summary["accuracy_chance"] == pytest.approx((3 / 6 + 1 / 5 + 1 / 2 + 1 / 4) / 6, abs=0.02)
    for name in ("accuracy", "accuracy_majority"):
        by_kind = summary[f"{name}_by_kind"]
        assert len(by_kind) == 6 and sum(by_kind.values()) / 6 == pytest.approx(summary[name])


@pytest.mark.parametrize("run", ["memory", "reader"])
def test_it_learns_from_files_of_the_babi_format_and_answers_with_what_it_learnt(folder, run):
    summary = read(folder, run, "summary.json")
    assert summary["accuracy"] == 1.0 > summary["accuracy_majority"]
    asked = b"Mia walks into the old harbour.\nTom goes to the garden.\nWhere is Mia?\n"
    asked += b"\nMia walks into the garden\nTom goes to the cellar\nWhere is Tom\n"
    lines = output_in(folder, "answer", run, stdin=asked).splitlines()
    found = [line.split("(")[0].strip() for line in lines if "(" in line]
    assert found == ["old harbour", "cellar"]
    shown = [" ".join(line.split()[:-2]) for line in lines if line.endswith("%")]  # what the hop looked at
    assert shown == (["1 mia walks into the old harbour", "2 tom goes to the cellar"] if run == "memory" else [])
    out = output_in(folder, "answer", run, "few.txt")
    assert out.count("where is ") == 2 and "BAD" not in out
    (folder / "joined.txt").write_text(STORY.format("garden", "old_harbour"))
    assert "BAD" not in output_in(folder, "answer", run, "joined.txt"), "an answer of two words, written as one"
    own = json.loads(output_in(folder, "evaluate", run, "--json"))
    assert own["accuracy_by_kind"] == summary["accuracy_by_kind"]
    assert "Test questions: 2\n" in output_in(folder, "evaluate", run, "few.txt")
    assert "answers model" in output_in(folder, "info", run)


def test_a_huge_loss_of_answers_which_have_no_perplexity_is_no_overflow(folder):
    output_in(folder, "answer", *["--num-questions", "100", "--epochs", "1", "--learning-rate", "1e9", "--out", "far"])
    assert 1e4 < json.loads(output_in(folder, "evaluate", "far", "--json"))["test_loss"] < float("inf")


@pytest.mark.parametrize(
    "given, idle",
    [
        ("--model gru --hops 2 --tying layer-wise", "--hops, --tying"),
        ("-H 9 --bidirectional --first story", "--bidirectional, --first, --hidden-dim"),
    ],
)
def test_options_of_the_other_model_are_told(folder, given, idle):
    small = ["--num-questions", "100", "--epochs", "1", "--out", f"other-{idle.count(',')}"]
    status, _, err = call_in(folder, "answer", *given.split(), *small)
    assert status == 0 and err.startswith(f"note: no effect of {idle} with the other options as they are\n"), err


def test_a_memory_network_that_diverges_is_not_told_to_become_a_reader(folder):
    options = ["--num-questions", "100", "--epochs", "1", "--learning-rate", "1e9", "--clip", "1e9", "--out", "gone"]
    status, _, err = call_in(folder, "answer", *options)
    assert status == 1 and "a smaller --clip (it was 1e+09)." in err


def test_defaults_depend_on_model_and_data(folder):
    output_in(folder, "answer", "--train", "babi", "--task", "1", "--minutes", "0.001", "--out", "short")
    short, memory, reader = (read(folder, run, "config.json")["settings"] for run in ("short", "memory", "reader"))
    names = ("epochs", "optimizer", "max_norm", "empty_sentences", "linear_epochs")
    assert [short[name] for name in names] == [None, "sgd", 1.25, 0.1, 6]
    assert [memory[name] for name in names] == [15, "sgd", 1.25, 0.1, 2]
    assert [reader[name] for name in names] == [15, "adam", 5.0, 0.0, 3]
    config = KIND.complete(RunConfig("answers", AnswerModel(), AnswerSettings(), AnswerData("babi", "1")), object())
    assert (config.settings.epochs, config.settings.linear_epochs) == (100, 20)
    assert (AnswerSettings().learning_rate, AnswerSettings(optimizer="adam").learning_rate) == (0.32, 0.005)


def test_no_test_question_is_trained_on(folder):
    path, other = folder / "babi" / "qa1_places_train.txt", folder / "few.txt"
    alone, task = read_parts([path]), read_parts([path, other])
    assert alone["train"] + alone["valid"] + alone["test"] == task["train"] + task["valid"] == read_stories(path)
    assert [len(part) for part in alone.values()] == [72, 9, 9] and task["test"] == read_stories(other)
    (folder / "zoe.txt").write_text(path.read_text() + "1 Zoe sits.\n2 Who sits?\tzoe\n")
    data = open_data(RunConfig("answers", AnswerModel(), AnswerSettings(), AnswerData(str(folder / "zoe.txt"))))
    assert "zoe" not in data.vocabulary.tokens and data.parts["test"][-1].answer == "zoe"


def test_unknown_words_are_said_once(folder):
    asked = b"Mia rides into the garden.\nWhere is Mia?\nWhere is Zoe?\n"
    _, _, err = call_in(folder, "answer", "memory", stdin=asked)
    assert err.count("the model does not know 'rides'") == 1 and err.count("'zoe'") == 1


def test_a_person_at_the_terminal_may_make_mistakes(folder, monkeypatch, capsys):
    lines = iter(["Where is Mia?", "Mia walks into the garden.", "!", "Tom goes to the cellar.", "Where is Mia"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines, None) or press_ctrl_d())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    use(folder / "memory", AnswerChoices())
    out, err = capsys.readouterr()
    assert "garden (" in out and out.count("where is mia?") == 1
    assert "line 1: the question has no story" in err and "line 3: the line has no word" in err


def press_ctrl_d():
    raise EOFError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("answer small missing.txt", "there is no file missing.txt"),
        ("answer --train babi", "babi is a folder: say which task of bAbI in it to train on (--task 1)"),
        ("answer --train babi --task 7", "there is no file qa7_*_train.txt of bAbI in this folder"),
        ("answer --train babi --task one", "--task must be a number"),
        ("answer --task 1", "name the folder that holds it (--train FOLDER)"),
        ("answer --train broken.txt", "broken.txt, line 2: expected a number and a sentence; got 'Tom sits.'"),
        ("answer --train few.txt", "few.txt holds 2 questions; to train on a file it must have 10 or more"),
        ("answer --empty-sentences 1", "--empty-sentences must be"),
        ("answer --num-questions 100001", "--num-questions must be at most 100,000; got 100,001"),
        ("answer --model gru -H 5 --bidirectional", "H must be even; got --hidden-dim=5"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(folder, call, arguments, message):
    assert message in call(*arguments.split()).refused()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (b"Mia sits.\n\nWhere is Mia?\n", "standard input, line 3: the question has no story"),
        (b"Mia sits.\n...\nWhere is Mia?\n", "standard input, line 2: the line has no word"),
        (b"Mia sits.\n", "standard input holds no question"),
    ],
)
def test_a_broken_story_is_told_with_its_line(folder, call, asked, message):
    assert message in call("answer", "memory", stdin=asked).refused()
