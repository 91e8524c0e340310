"""Stories with questions: our own, drawn at random, and files in the format of the bAbI tasks (Weston et al., 2015).

    1 Mia walks into the cellar.
    2 Tom picks up the lamp.
    3 Where is Mia? <tab> cellar <tab> 1

Number 1 begins a story. A question line has an answer, and the numbers of the sentences that support it, after tabs.
Words are lower-case, without punctuation. An answer of several words (north, west) counts as one answer.

In our own stories people walk from place to place, pick things up, put them down and hand them on. A story is drawn
event by event. Then one question of one of six KINDS asks about the world as it is, or was. Answer and support are
known exactly: one sentence tells where a person is, or who has a thing; two tell where a thing is (who took it, got it
or put it down, and where that person walked); three or four tell where it was before. Only `random.Random(seed).random`
is used, whose stream Python guarantees never to change.
"""

import re
from pathlib import Path
from random import Random
from typing import NamedTuple

from numpylm.data.text_files import read_text

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
NUMBERED = re.compile(r"\s*([1-9]\d{0,8})\s+(\S.*)", re.DOTALL | re.ASCII)
QUESTION_WORDS = ("where", "who", "whose", "what", "which", "why", "how", "is", "are", "was", "were", "does", "did")
PEOPLE = ("mia", "tom", "lena", "omar")
PLACES = ("cellar", "garden", "library", "harbour", "market", "tower")
THINGS = ("lamp", "coin", "letter", "rope")
NUMBERS = ("none", "one", "two", "three", "four")
KINDS = ("where is a person", "where is a thing", "where was it before", "how many things", "is it so", "who has it")
WALKS = ("{} walks into the {}", "{} goes to the {}", "{} hurries to the {}")
TAKES = ("{} picks up the {}", "{} takes the {}")
DROPS = ("{} puts down the {}", "{} leaves the {} there")
HANDS = ("{} hands the {} to {}", "{} gives the {} to {}")


class Question(NamedTuple):
    """A question, and the sentences of a story that came before it."""

    story: tuple  # of sentences, tuples of words
    question: tuple  # of words
    answer: str  # "" if unknown
    support: tuple  # which sentences, from 0, tell the answer
    kind: str = ""  # what sort of question it is, if known


def read_stories(path, kind=""):
    """The Questions of a file, in order. Raises ValueError for a broken line, and what read_text does."""
    questions, story = [], {}
    for place, line in enumerate(read_text(path).split("\n"), start=1):
        where = f"{path}, line {place}"
        if line.strip() and not NUMBERED.fullmatch(line):
            raise ValueError(f"{where}: expected a number and a sentence; got {line[:80]!r}")
        story, question = with_line(story, line, where)
        if question is not None:
            if not question.answer:
                raise ValueError(f"{where}: expected a question, a tab and its answer; got {line[:80]!r}")
            questions.append(question._replace(kind=kind))
    if not questions:
        raise ValueError(f"{path} holds no question: a question is a line with its answer after a tab")
    return questions


def with_line(story, line, where):
    """(the story with one more line, the Question that the line is, or None). A story is a dict, number -> words.

    A question has a question mark or a tab, or begins with a question word. A line without a number gets the next one.
    Number 1, or an empty line, begins a new story. Raises ValueError, which says where, for a line without a word, a
    number that does not rise, a question without a story, or a wrong support.
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
    wrong = [one for one in support.split() if one not in numbers]
    if wrong:
        raise ValueError(f"{where}: the answer is said to rest on line {wrong[0]!r}, which is no sentence of the story")
    told = tuple(map(numbers.index, support.split()))
    return story, Question(tuple(story.values()), words, " ".join(answer.lower().split()), told)


def task_files(folder, number):
    """[training file, test file] of bAbI's task with this number in a folder. Raises FileNotFoundError."""
    names = [f"qa{number}_*_{part}.txt" for part in ("train", "test")]
    found = [next(Path(folder).glob(name), None) for name in names]
    if None in found:
        raise FileNotFoundError(2, f"there is no file {names[found.index(None)]} of bAbI in this folder", str(folder))
    return found


class World(NamedTuple):
    """What is so after the sentences of a story, and the numbers of the sentences that tell it."""

    at: dict  # person -> (place, numbers)
    holder: dict  # thing -> (person, or "" for nobody, numbers)
    path: dict  # thing -> [(place, numbers), …], the present place last

    def held_by(self, person):
        """The things that a person holds."""
        return [thing for thing, (holder, _) in self.holder.items() if holder == person]


def draw_questions(count, seed, num_events=(6, 14)):
    """`count` Questions, each with its own story; num_events is (fewest, most) events. The kinds take turns."""
    rng, (fewest, most), questions = Random(seed), num_events, []
    while len(questions) < count:
        kind = KINDS[len(questions) % len(KINDS)]
        world = World({}, dict.fromkeys(THINGS, ("", [])), {thing: [] for thing in THINGS})
        length = fewest + int(rng.random() * (most - fewest + 1))
        story = tuple(tuple(draw_event(rng, world, [number]).split()) for number in range(length))
        asked = ask(rng, world, kind)
        if asked is not None:
            question, answer, support = asked
            questions.append(Question(story, tuple(question.split()), answer, tuple(sorted(set(support))), kind))
    return questions


def pick(rng, options):
    """One of several, each as likely."""
    return options[int(rng.random() * len(options))]


def draw_event(rng, world, told):
    """Changes the world by one event, and returns the sentence that tells it; told holds this sentence's number."""
    at, holder, path = world
    person = receiver = pick(rng, PEOPLE)
    place = at.get(person, ("",))[0]  # "" before the first walk
    held = world.held_by(person)
    others = [other for other in PEOPLE if other != person and at.get(other, ("",))[0] == place]
    free = [thing for thing in world.held_by("") if not path[thing] or path[thing][-1][0] == place]  # nobody holds it
    stays = place and rng.random() >= 0.4
    if stays and held and others and rng.random() < 0.5:
        thing, receiver, wordings = pick(rng, held), pick(rng, others), HANDS
    elif stays and held and rng.random() < 0.5:
        thing, wordings = pick(rng, held), DROPS
    elif stays and free:
        thing, wordings = pick(rng, free), TAKES
    else:
        place = pick(rng, [other for other in PLACES if other != place])
        at[person] = (place, told)
        for thing in held:
            path[thing].append((place, holder[thing][1] + told))
        return pick(rng, WALKS).format(person, place)
    path[thing][-1:] = [(place, told + at[receiver][1])]  # the thing is where it was, but this sentence tells it
    holder[thing] = ("" if wordings is DROPS else receiver, told)
    return pick(rng, wordings).format(person, thing, receiver)


def ask(rng, world, kind):
    """(question, answer, numbers of the sentences that tell it) of a kind; None if nothing can be asked so."""
    at, holder, path = world
    if kind == "is it so":
        person, (place, told) = pick(rng, list(at.items()))
        asked = place if rng.random() < 0.5 else pick(rng, [other for other in PLACES if other != place])
        return f"is {person} in the {asked}", "yes" if asked == place else "no", told
    taken = {person: [holder[thing][1][0] for thing in world.held_by(person)] for person in at}  # in which sentences
    moved = [(thing, *places[-2:]) for thing, places in path.items() if len(places) > 1]
    possible = {
        "where is a person": [(f"where is {person}", place, told) for person, (place, told) in at.items()],
        "where is a thing": [(f"where is the {thing}", *places[-1]) for thing, places in path.items() if places],
        "where was it before": [
            (f"where was the {thing} before the {now}", before, first + second)
            for thing, (before, first), (now, second) in moved
        ],
        "how many things": [
            (f"how many things does {person} carry", NUMBERS[len(told)], told) for person, told in taken.items()
        ],
        "who has it": [(f"who has the {thing}", person, told) for thing, (person, told) in holder.items() if person],
    }[kind]
    return pick(rng, possible) if possible else None
