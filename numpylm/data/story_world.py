"""Stories of our own, in which every answer and the sentences that tell it are known exactly.

People walk from place to place, pick things up, put them down and hand them on. A story is drawn event by event. Then
one question asks about the world as it is, or was:

    where is a person           one sentence tells it
    where is a thing            two: who took it, got it or put it down, and where that person walked
    where was it before         three or four: the same of the thing's last two places
    how many things             each that a person has taken and not given away or put down
    is a person somewhere       yes or no
    who has it                  one

Only `random.Random(seed).random()` is used, whose stream Python guarantees never to change.
"""

from random import Random
from typing import NamedTuple

from numpylm.data.stories import Question

PEOPLE = ("mia", "tom", "lena", "omar")
PLACES = ("cellar", "garden", "library", "harbour", "market", "tower")
THINGS = ("lamp", "coin", "letter", "rope")
NUMBERS = ("none", "one", "two", "three", "four")
KINDS = ("where is a person", "where is a thing", "where was it before", "how many things", "is it so", "who has it")
WALKS = ("{} walks into the {}", "{} goes to the {}", "{} hurries to the {}")
TAKES = ("{} picks up the {}", "{} takes the {}")
DROPS = ("{} puts down the {}", "{} leaves the {} there")
HANDS = ("{} hands the {} to {}", "{} gives the {} to {}")


class World(NamedTuple):
    """What is so after the sentences of a story: (what, the numbers of the sentences that tell it).

    at: person -> (place, …); holder: thing -> (person, …); path: thing -> [(place, …), …], the present place last
    """

    at: dict
    holder: dict
    path: dict

    def held_by(self, person):
        """The things that a person holds."""
        return [thing for thing in THINGS if self.holder.get(thing, ("",))[0] == person]

    def hold(self, thing, person, told):
        """The sentences told say that a thing is in a person's hands: it is where that person is."""
        place, walked = self.at[person]
        self.holder[thing] = (person, told)
        self.path[thing] = [*self.path.get(thing, [])[:-1], (place, told + walked)]


def draw_questions(count, seed, num_events=(6, 14)):
    """`count` Questions, each with its own story; num_events is (fewest, most) events. The kinds take turns."""
    if count < 1 or seed < 0:
        raise ValueError(f"expected count >= 1 and seed >= 0; got {count} and {seed}")
    rng, (fewest, most), questions = Random(seed), num_events, []
    while len(questions) < count:
        world, kind = World({}, {}, {}), KINDS[len(questions) % len(KINDS)]
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
    person = pick(rng, PEOPLE)
    place = world.at.get(person, ("",))[0]
    if not place or rng.random() < 0.4:
        return walk(rng, world, person, told)
    held = world.held_by(person)
    free = [
        thing for thing in THINGS if thing not in world.holder and world.path.get(thing, [(place,)])[-1][0] == place
    ]
    others = [other for other in PEOPLE if other != person and world.at.get(other, ("",))[0] == place]
    if held and others and rng.random() < 0.5:
        thing, other = pick(rng, held), pick(rng, others)
        world.hold(thing, other, told)
        return pick(rng, HANDS).format(person, thing, other)
    if held and rng.random() < 0.5:
        thing = pick(rng, held)
        world.hold(thing, person, told)
        del world.holder[thing]
        return pick(rng, DROPS).format(person, thing)
    if not free:
        return walk(rng, world, person, told)
    thing = pick(rng, free)
    world.hold(thing, person, told)
    return pick(rng, TAKES).format(person, thing)


def walk(rng, world, person, told):
    """A person goes somewhere else, and takes along what they hold."""
    place = pick(rng, [place for place in PLACES if place != world.at.get(person, ("",))[0]])
    world.at[person] = (place, told)
    for thing in world.held_by(person):
        world.path[thing].append((place, world.holder[thing][1] + told))
    return pick(rng, WALKS).format(person, place)


def ask(rng, world, kind):
    """(question, answer, numbers of the sentences that tell it) of a kind; None if nothing can be asked so."""
    at, holder, path = world
    if kind == "is it so":
        person, (place, told) = pick(rng, list(at.items()))
        asked = place if rng.random() < 0.5 else pick(rng, [other for other in PLACES if other != place])
        return f"is {person} in the {asked}", "yes" if asked == place else "no", told
    moved = [(thing, *path[thing][-2:]) for thing in THINGS if len(path.get(thing, [])) > 1]
    held = {person: [holder[thing][1][0] for thing in world.held_by(person)] for person in at}
    possible = {
        "where is a person": [(f"where is {person}", *at[person]) for person in at],
        "where is a thing": [(f"where is the {thing}", *path[thing][-1]) for thing in THINGS if thing in path],
        "where was it before": [
            (f"where was the {thing} before the {now}", before, first + second)
            for thing, (before, first), (now, second) in moved
        ],
        "how many things": [(f"how many things does {person} carry", NUMBERS[len(n)], n) for person, n in held.items()],
        "who has it": [(f"who has the {thing}", *holder[thing]) for thing in THINGS if thing in holder],
    }[kind]
    return pick(rng, possible) if possible else None
