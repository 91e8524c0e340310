"""Stories: the bAbI format and what breaks it; the built-in stories, whose answers another reading must find again."""

from zlib import crc32

import pytest

from numpylm.data import stories
from numpylm.data.stories import draw_questions, read_stories, task_files, with_line

GOOD = "1 Mia goes to the cellar.\n2 Tom's dog sleeps.\n3 Where is Mia?\tcellar\t1\n4 Which way?\tNorth, west\t1 2\n"


def test_a_file_gives_its_questions_with_the_story_so_far(tmp_path):
    (tmp_path / "a.txt").write_text(GOOD + "1 Tom sits.\n2 Who sits?\ttom\n", encoding="utf-8")
    first, second, third = read_stories(tmp_path / "a.txt", "way")
    assert first.story == (("mia", "goes", "to", "the", "cellar"), ("tom's", "dog", "sleeps"))
    assert (first.question, first.answer, first.support, first.kind) == (("where", "is", "mia"), "cellar", (0,), "way")
    assert (second.story, second.answer, second.support) == (first.story, "north, west", (0, 1))
    assert (third.story, third.support) == ((("tom", "sits"),), ())
    story, _ = with_line({}, "Mia's cat, the Ox; isn't it", "line 1")
    assert story == {1: ("mia's", "cat", "the", "ox", "isn't", "it")}


@pytest.mark.parametrize(
    ("line", "is_question"),
    [("Where is Mia", True), ("is Mia here", True), ("Mia is where?", True), ("Mia\t", True), ("Mia is here", False)],
)
def test_a_question_has_a_question_mark_or_a_question_word_in_front(line, is_question):
    assert (with_line({1: ("mia", "sits")}, line, "line 2")[1] is not None) == is_question


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 Mia goes.\nTom goes.\n", "line 2: expected a number and a sentence; got 'Tom goes.'"),
        ("1 Where is Mia?\tcellar\t1\n", "line 1: the question has no story"),
        ("1 Mia goes.\n2 Where?\t\t1\n", "line 2: expected a question, a tab and its answer"),
        ("1 Mia goes.\n2 Where?\there\t7\n", "line 2: the answer is said to rest on line '7'"),
        ("1 ...\n", "line 1: the line has no word"),
        ("1 Mia goes.\n3 Tom goes.\n3 Tom sits.\n", "line 3: the number 3 comes after 3"),
        (f"{'9' * 5000} Mia goes.\n", "line 1: expected a number and a sentence"),
        ("1 Mia\x0cgoes.\nTom goes.\n", "line 2: expected"),
        ("1 Mia goes.\n", "holds no question"),
    ],
)
def test_a_broken_line_is_told_with_its_number_and_file(tmp_path, content, message):
    (tmp_path / "b.txt").write_text(content)
    with pytest.raises(ValueError, match=r"b\.txt") as error:
        read_stories(tmp_path / "b.txt")
    assert message in str(error.value)


def test_a_task_is_found_by_its_number(tmp_path):
    for name in ("qa1_single_train.txt", "qa1_single_test.txt", "qa11_other_train.txt"):
        (tmp_path / name).write_text(GOOD)
    assert [path.name for path in task_files(tmp_path, 1)] == ["qa1_single_train.txt", "qa1_single_test.txt"]
    with pytest.raises(FileNotFoundError, match=r"qa11_\*_test\.txt"):
        task_files(tmp_path, 11)


def answered(question):
    """The answer to a built-in question, by reading the story's words alone: where all is after each sentence."""
    at, holder, path = {}, {}, {thing: [] for thing in stories.THINGS}
    for words in question.story:
        person, (thing,) = words[0], [word for word in words if word in stories.THINGS] or [None]
        if words[-1] in stories.PLACES:
            at[person] = words[-1]
        elif words[1] in ("picks", "takes", "hands", "gives"):
            holder[thing] = words[-1] if words[-1] in stories.PEOPLE else person
        else:
            del holder[thing]
        for held in holder:
            path[held] += [at[holder[held]]] * (path[held][-1:] != [at[holder[held]]])
    asked = [word for word in question.question if word in (*stories.PEOPLE, *stories.THINGS, *stories.PLACES)]
    return {
        "where is a person": lambda: at[asked[0]],
        "where is a thing": lambda: path[asked[0]][-1],
        "where was it before": lambda: path[asked[0]][-2],
        "how many things": lambda: stories.NUMBERS[list(holder.values()).count(asked[0])],
        "is it so": lambda: "yes" if at[asked[0]] == asked[1] else "no",
        "who has it": lambda: holder[asked[0]],
    }[question.kind]()


def test_the_built_in_answers_are_right_their_support_tells_them_and_every_kind_comes_equally_often():
    questions = draw_questions(1200, seed=3)
    for question in questions:
        assert answered(question) == question.answer, question
        told = [word for i in question.support for word in question.story[i]]
        if question.kind not in ("how many things", "is it so"):
            asked = [word for word in question.question if word in (*stories.PEOPLE, *stories.THINGS)]
            assert {question.answer, *asked} <= {*told} and len(question.support) <= 4, question
        if question.kind == "how many things":
            assert len(question.support) == stories.NUMBERS.index(question.answer)
    assert [sum(one.kind == kind for one in questions) for kind in stories.KINDS] == [200] * 6


def test_stories_are_a_function_of_the_seed_and_stay_what_they_are():
    assert draw_questions(30, 5) == draw_questions(60, 5)[:30] != draw_questions(30, 6)
    drawn = [tuple(question) for question in draw_questions(600, 1)]  # README's accuracies rest on these stories
    assert crc32(repr(drawn).encode()) == 2332560466
