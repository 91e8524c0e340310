"""Stories of our own, in which every answer and the sentences that tell it are known exactly.

People walk from place to place, pick things up, put them down and hand them on. A story is drawn event by event. Then
one question of one of six KINDS asks about the world as it is, or was.

Only `random.Random(seed).random()` is used, whose stream Python guarantees never to change.
"""

from random import Random
from typing import NamedTuple

from numpylm.data.stories import Question

PEOPLE = ("mia", "tom", "lena", "omar")
PLACES = ("cellar", "garden", "library", "harbour", "market", "tower")
THINGS = ("lamp", "coin", "letter", "rope")
NUMBERS = ("none", "one", "two", "three", "four")
KINDS = (
    "where is a person",  # one sentence tells it
    "where is a thing",  # two: who took it, got it or put it down, and where that person walked
    "where was it before",  # three or four: the same of the thing's last two places
    "how many things",  # each that a person has taken and not given away or put down
    "is it so",  # one: is a person in this place, yes or no?
    "who has it",  # one
)
WALKS = ("{} walks into the {}", "{} goes to the {}", "{} hurries to the {}")
TAKES = ("{} picks up the {}", "{} takes the {}")
DROPS = ("{} puts down the {}", "{} leaves the {} there")
HANDS = ("{} hands the {} to {}", "{} gives the {} to {}")


class World(NamedTuple):
    """What is so after the sentences of a story: (what, the numbers of the sentences that tell it).

    at: person -> (place, …); holder: thing -> (person or "", …); path: thing -> [(place, …), …], the present place last
    """

    at: dict
    holder: dict
    path: dict

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
