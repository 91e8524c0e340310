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

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
NUMBERED = re.compile(r"\s*([1-9]\d*)\s+(\S.*)", re.DOTALL | re.ASCII)


class Question(NamedTuple):
    """A question after the sentences of a story that came before it.

    story: its sentences, lists of words; question: a list of words; support: which sentences, from 0, tell the answer;
    kind: what sort of question it is, "" if unknown.
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
    """The Questions of a file, in order. Raises StoryError for a broken line, OSError where there is no file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise StoryError(f"{path} is not UTF-8 text: byte {error.start} does not fit") from None
    questions, sentences = [], {}
    for place, line in enumerate(text.splitlines(), start=1):
        where = f"{path}, line {place}"
        if line.strip() and not NUMBERED.fullmatch(line):
            raise StoryError(f"{where}: expected a number and a sentence; got {line[:80]!r}")
        sentences, question = with_line(sentences, line, where) if line.strip() else (sentences, None)
        if question is not None and not question.answer:
            raise StoryError(f"{where}: expected a question, a tab and its answer; got {line[:80]!r}")
        questions += [] if question is None else [question._replace(kind=kind)]
    if not questions:
        raise StoryError(f"{path} holds no question: a question is a line with its answer after a tab")
    return questions


def with_line(sentences, line, where):
    """(the story with one more line, the Question that the line is, or None). A story is a dict, number -> words.

    A line with a question mark or a tab is a question; its answer, and the numbers of the sentences that support it,
    may follow after tabs. A line without a number gets the next one. Number 1, or an empty line, begins a new story.
    Raises StoryError, which says where, for a line without a word, a question without a story, or a wrong support.
    """
    if not line.strip():
        return {}, None
    numbered = NUMBERED.fullmatch(line)
    number, content = (int(numbered[1]), numbered[2]) if numbered else (max(sentences, default=0) + 1, line)
    sentences = {} if numbered and number == 1 else sentences
    text, *after_tabs = content.split("\t")
    words = words_of(text)
    if not words:
        raise StoryError(f"{where}: the line has no word: {line[:80]!r}")
    if "?" not in text and not after_tabs:
        return {**sentences, number: words}, None
    if not sentences:
        raise StoryError(f"{where}: the question has no story: no sentence stands before it")
    support = after_tabs[1].split() if len(after_tabs) > 1 else []
    for one in support:
        if not one.isdigit() or int(one) not in sentences:
            raise StoryError(f"{where}: the answer is said to rest on line {one!r}, which is no sentence of the story")
    answer = " ".join(after_tabs[0].lower().split()) if after_tabs else ""
    places = tuple(list(sentences).index(int(one)) for one in support)
    return sentences, Question(tuple(sentences.values()), words, answer, places)


def task_files(folder, task):
    """(training file, test file) of bAbI's task with this number in a folder. Raises FileNotFoundError."""
    found = []
    for part in ("train", "test"):
        files = sorted(Path(folder).glob(f"qa{task}_*_{part}.txt"))
        if len(files) != 1:
            raise FileNotFoundError(2, f"there is no file qa{task}_…_{part}.txt of bAbI in this folder", str(folder))
        found.append(files[0])
    return tuple(found)
