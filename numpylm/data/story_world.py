"""Stories of our own, in which every answer and the sentences that tell it are known exactly.

People walk from place to place, pick things up, put them down and hand them on. A story is drawn event by event. Then
one question asks about the world as it is, or was:

    where is a person           one sentence tells it
    where is a thing            two: who took it or put it down, and where that person walked
    where was it before         three: the thing's last two places
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
    """Where things stand, with the sentence that said so.

    at: person -> (place, sentence); holder: thing -> (person, sentence); lies: thing -> (place, sentences);
    path: thing -> its places so far, each with the sentences that tell it, the present one last
    """

    at: dict
    holder: dict
    lies: dict
    path: dict


def pick(rng, options):
    """One of several, each as likely."""
    return options[int(rng.random() * len(options))]


def draw_questions(count, seed, num_events=(6, 14)):
    """`count` Questions, each with its own story; num_events is (fewest, most) events. The kinds take turns."""
    if count < 1 or seed < 0:
        raise ValueError(f"expected count >= 1 and seed >= 0; got {count} and {seed}")
    rng, questions = Random(seed), []
    while len(questions) < count:
        question = draw_question(rng, KINDS[len(questions) % len(KINDS)], num_events)
        if question is not None:
            questions.append(question)
    return questions


def draw_question(rng, kind, num_events):
    """A Question of a kind after a story that was drawn; None if nothing in the story can be asked so."""
    world, story = World({}, {}, {}, {}), []
    fewest, most = num_events
    for _ in range(fewest + int(rng.random() * (most - fewest + 1))):
        story.append(tuple(draw_event(rng, world, len(story)).split()))
    asked = ASK[kind](rng, world)
    if asked is None:
        return None
    question, answer, support = asked
    return Question(tuple(story), tuple(question.split()), answer, tuple(sorted(set(support))), kind)


def draw_event(rng, world, number):
    """Changes the world by one event, and returns its sentence, which is the story's sentence of that number."""
    person = pick(rng, PEOPLE)
    if person not in world.at or rng.random() < 0.4:
        return walk(rng, world, person, number)
    place = world.at[person][0]
    held = [thing for thing in THINGS if world.holder.get(thing, ("",))[0] == person]
    free = [thing for thing in THINGS if thing not in world.holder and world.lies.get(thing, (place,))[0] == place]
    others = [other for other in PEOPLE if other != person and world.at.get(other, ("",))[0] == place]
    if held and others and rng.random() < 0.5:
        return hand(rng, world, person, pick(rng, held), pick(rng, others), number)
    if held and rng.random() < 0.5:
        return drop(rng, world, person, pick(rng, held), number)
    if free:
        return take(rng, world, person, pick(rng, free), number)
    return walk(rng, world, person, number)


def walk(rng, world, person, number):
    """A person goes somewhere else, and takes along what they hold."""
    place = pick(rng, [place for place in PLACES if place != world.at.get(person, ("",))[0]])
    world.at[person] = (place, number)
    for thing, (holder, since) in world.holder.items():
        if holder == person:
            world.path.setdefault(thing, []).append((place, (since, number)))
    return pick(rng, WALKS).format(person, place)


def take(rng, world, person, thing, number):
    """A person takes a thing that lies where they are, or that was not mentioned yet."""
    place, since = world.at[person]
    world.holder[thing] = (person, number)
    if thing not in world.path:
        world.path[thing] = [(place, (since, number))]
    world.lies.pop(thing, None)
    return pick(rng, TAKES).format(person, thing)


def drop(rng, world, person, thing, number):
    """A person puts down what they hold."""
    place, since = world.at[person]
    del world.holder[thing]
    world.lies[thing] = (place, (since, number))
    return pick(rng, DROPS).format(person, thing)


def hand(rng, world, person, thing, other, number):
    """A person gives what they hold to another person at the same place."""
    world.holder[thing] = (other, number)
    return pick(rng, HANDS).format(person, thing, other)


def ask_person(rng, world):
    """Where is Mia?"""
    person = pick(rng, list(world.at))
    place, number = world.at[person]
    return f"where is {person}", place, [number]


def ask_thing(rng, world):
    """Where is the lamp?"""
    things = [thing for thing in THINGS if thing in world.holder or thing in world.lies]
    if not things:
        return None
    thing = pick(rng, things)
    if thing in world.lies:
        place, support = world.lies[thing]
        return f"where is the {thing}", place, support
    person, number = world.holder[thing]
    place, walked = world.at[person]
    return f"where is the {thing}", place, [number, walked]


def ask_before(rng, world):
    """Where was the lamp before the garden? The garden is where it is now."""
    moved = [thing for thing in THINGS if len(world.path.get(thing, [])) > 1]
    if not moved:
        return None
    thing = pick(rng, moved)
    (before, first), (now, second) = world.path[thing][-2:]
    return f"where was the {thing} before the {now}", before, [*first, *second]


def ask_number(rng, world):
    """How many things does Mia carry?"""
    person = pick(rng, list(world.at))
    held = [number for holder, number in world.holder.values() if holder == person]
    return f"how many things does {person} carry", NUMBERS[len(held)], held


def ask_yes(rng, world):
    """Is Mia in the garden?"""
    person = pick(rng, list(world.at))
    place, number = world.at[person]
    asked = place if rng.random() < 0.5 else pick(rng, [other for other in PLACES if other != place])
    return f"is {person} in the {asked}", "yes" if asked == place else "no", [number]


def ask_holder(rng, world):
    """Who has the lamp?"""
    if not world.holder:
        return None
    thing = pick(rng, [thing for thing in THINGS if thing in world.holder])
    person, number = world.holder[thing]
    return f"who has the {thing}", person, [number]


ASK = dict(zip(KINDS, (ask_person, ask_thing, ask_before, ask_number, ask_yes, ask_holder), strict=True))
