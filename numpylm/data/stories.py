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
NUMBERED = re.compile(r"\s*([1-9]\d{0,8})\s+(\S.*)", re.DOTALL | re.ASCII)
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


def read_stories(path, kind=""):
    """The Questions of a file, in order. Raises ValueError for a broken line, and what read_text does."""
    questions, story = [], {}
    for place, line in enumerate(read_text(path).split("\n"), start=1):
        where = f"{path}, line {place}"
        if line.strip() and not NUMBERED.fullmatch(line):
            raise ValueError(f"{where}: expected a number and a sentence; got {line[:80]!r}")
        story, question = with_line(story, line, where)
        if question is None:
            continue
        if not question.answer:
            raise ValueError(f"{where}: expected a question, a tab and its answer; got {line[:80]!r}")
        questions.append(question._replace(kind=kind))
    if not questions:
        raise ValueError(f"{path} holds no question: a question is a line with its answer after a tab")
    return questions


def with_line(story, line, where):
    """(the story with one more line, the Question that the line is, or None). A story is a dict, number -> words.

    A question has a question mark or a tab, or begins with a question word. A line without a number gets the next one.
    Number 1, or an empty line, begins a new story.
    Raises ValueError, which says where, for a line without a word, a number that does not rise, a question without a
    story, or a wrong support.
    """
    if not line.strip():
        return {}, None
    numbered = NUMBERED.fullmatch(line)
    last = max(story, default=0)
    number, content = (int(numbered[1]), numbered[2]) if numbered else (last + 1, line)
    if number == 1:
        story = {}
    elif number <= last:
        raise ValueError(f"{where}: the number {number} comes after {last}; number 1 begins a new story")
    text, answer, support = [*content.split("\t"), "", ""][:3]
    words = tuple(WORD.findall(text.lower()))
    if not words:
        raise ValueError(f"{where}: the line has no word: {line[:80]!r}")
    if "?" not in text and "\t" not in content and words[0] not in QUESTION_WORDS:
        return {**story, number: words}, None
    if not story:
        raise ValueError(f"{where}: the question has no story: no sentence stands before it")
    numbers = [*map(str, story)]
    for one in support.split():
        if one not in numbers:
            raise ValueError(f"{where}: the answer is said to rest on line {one!r}, which is no sentence of the story")
    told = tuple(map(numbers.index, support.split()))
    return story, Question(tuple(story.values()), words, " ".join(answer.lower().split()), told)


def task_file(folder, task, part):
    """The file of bAbI's task with this number in a folder; part is "train" or "test". Raises FileNotFoundError."""
    for file in Path(folder).glob(f"qa{task}_*_{part}.txt"):
        return file
    raise FileNotFoundError(2, f"there is no file qa{task}_…_{part}.txt of bAbI in this folder", str(folder))
