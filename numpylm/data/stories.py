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
        if line.strip():
            number, content = numbered(line, f"{path}, line {place}")
            sentences = {} if number == 1 else sentences
            if "\t" in content:
                questions.append(question_of(content, sentences, f"{path}, line {place}", kind))
            else:
                sentences[number] = sentence_of(content, f"{path}, line {place}")
    if not questions:
        raise StoryError(f"{path} holds no question: a question is a line with its answer after a tab")
    return questions


def numbered(line, where):
    """(number, the rest) of a line."""
    number, _, content = line.strip(" ").partition(" ")
    if not number.isascii() or not number.isdigit() or int(number) < 1 or not content.strip():
        raise StoryError(f"{where}: expected a number and a sentence; got {line[:80]!r}")
    return int(number), content


def sentence_of(content, where):
    """A sentence's words."""
    words = words_of(content)
    if not words:
        raise StoryError(f"{where}: the sentence has no word: {content[:80]!r}")
    return words


def question_of(content, sentences, where, kind):
    """The Question of a line with tabs, after these sentences (number -> words)."""
    parts = [part.strip() for part in content.split("\t")]
    if not words_of(parts[0]) or not words_of(parts[1]):
        raise StoryError(f"{where}: expected a question, a tab and its answer; got {content[:80]!r}")
    if not sentences:
        raise StoryError(f"{where}: the question has no story: no sentence stands before it")
    numbers = list(sentences)
    support = parts[2].split() if len(parts) > 2 else []
    unknown = [number for number in support if not number.isdigit() or int(number) not in sentences]
    if unknown:
        raise StoryError(
            f"{where}: the answer is said to rest on line {unknown[0]!r}, which is no sentence of the story"
        )
    places = tuple(numbers.index(int(number)) for number in support)
    return Question(tuple(sentences.values()), words_of(parts[0]), parts[1].lower(), places, kind)


def task_files(folder, task):
    """(training file, test file) of bAbI's task with this number in a folder. Raises FileNotFoundError."""
    found = []
    for part in ("train", "test"):
        files = sorted(Path(folder).glob(f"qa{task}_*_{part}.txt"))
        if len(files) != 1:
            raise FileNotFoundError(2, f"there is no file qa{task}_…_{part}.txt of bAbI in this folder", str(folder))
        found.append(files[0])
    return tuple(found)
