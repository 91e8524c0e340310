"""Stories with questions: the records, and the file format of the bAbI tasks (Weston et al., 2015).

    1 Mia walks into the cellar.
    2 Tom picks up the lamp.
    3 Where is Mia? <tab> cellar <tab> 1

A line has a number, and a story begins at number 1. A question line has an answer, and the numbers of the sentences
that support it, after tabs. Words are lower-case, without punctuation. An answer of several words (north, west) counts
as one answer.
"""

import re
from pathlib import Path
from typing import NamedTuple

from numpylm.data.text_files import read_text

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
NUMBERED = re.compile(r"\s*([1-9]\d*)\s+(\S.*)", re.DOTALL | re.ASCII)
QUESTION_WORDS = ("where", "who", "whose", "what", "which", "why", "how", "is", "are", "was", "were", "does", "did")


class Question(NamedTuple):
    """A question after the sentences of a story that came before it.

    story: its sentences, tuples of words; question: a tuple of words; support: which sentences, from 0, tell the
    answer; kind: what sort of question it is, "" if unknown.
    """

    story: tuple
    question: tuple
    answer: str
    support: tuple
    kind: str = ""


class StoryError(ValueError):
    """A line that breaks the format; the message names file, line and number."""


def words_of(text):
    """The words of a sentence, lower-case, without punctuation."""
    return tuple(WORD.findall(text.lower()))


def read_stories(path, kind=""):
    """The Questions of a file, in order. Raises StoryError for a broken line, and what read_text does."""
    questions, story = [], {}
    for place, line in enumerate(read_text(path).splitlines(), start=1):
        where = f"{path}, line {place}"
        if line.strip() and not NUMBERED.fullmatch(line):
            raise StoryError(f"{where}: expected a number and a sentence; got {line[:80]!r}")
        story, question = with_line(story, line, where)
        if question is not None:
            if not question.answer:
                raise StoryError(f"{where}: expected a question, a tab and its answer; got {line[:80]!r}")
            questions.append(question._replace(kind=kind))
    if not questions:
        raise StoryError(f"{path} holds no question: a question is a line with its answer after a tab")
    return questions


def with_line(story, line, where):
    """(the story with one more line, the Question that the line is, or None). A story is a dict, number -> words.

    A question has a question mark or a tab, or begins with a question word. A line without a number gets the next one.
    Number 1, or an empty line, begins a new story.
    Raises StoryError, which says where, for a line without a word, a question without a story, or a wrong support.
    """
    if not line.strip():
        return {}, None
    numbered = NUMBERED.fullmatch(line)
    number, content = (int(numbered[1]), numbered[2]) if numbered else (max(story, default=0) + 1, line)
    story = {} if numbered and number == 1 else story
    text, answer, support = [*content.split("\t"), "", ""][:3]
    words = words_of(text)
    if not words:
        raise StoryError(f"{where}: the line has no word: {line[:80]!r}")
    if "?" not in text and "\t" not in content and words[0] not in QUESTION_WORDS:
        return {**story, number: words}, None
    if not story:
        raise StoryError(f"{where}: the question has no story: no sentence stands before it")
    numbers = list(map(str, story))
    for one in support.split():
        if one not in numbers:
            raise StoryError(f"{where}: the answer is said to rest on line {one!r}, which is no sentence of the story")
    told = tuple(map(numbers.index, support.split()))
    return story, Question(tuple(story.values()), words, " ".join(answer.lower().split()), told)


def task_files(folder, task):
    """(training file, test file) of bAbI's task with this number in a folder. Raises FileNotFoundError."""
    found = {part: next(Path(folder).glob(f"qa{task}_*_{part}.txt"), None) for part in ("train", "test")}
    for part, file in found.items():
        if file is None:
            raise FileNotFoundError(2, f"there is no file qa{task}_…_{part}.txt of bAbI in this folder", str(folder))
    return found["train"], found["test"]
