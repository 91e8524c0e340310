"""Timing things against each other on a machine that has other work to do.

All are run in turn, A B C A B C …, so that a slow minute is slow for all of them. A turn is one call, or as many as fill
a twentieth of a hundred milliseconds: a call of a tenth of a millisecond would otherwise find the caches full of the
others' arrays. A time is the median over the rounds, a ratio the median of the rounds' ratios: both halves of a ratio
were measured within one round.
"""

import math
import time
from statistics import median

TURN = 0.005  # seconds that a turn lasts, at least
TIE = 1.15  # what differs by less than this factor is called a tie


def race(functions, rounds, seconds):
    """Name -> [seconds per call in each round], from name -> function of no arguments.

    Runs at least so many rounds, and more until so many seconds have gone. Everything is called once before, unmeasured.
    """
    calls = {name: calls_in_a_turn(function) for name, function in functions.items()}
    times = {name: [] for name in functions}
    started, done = time.perf_counter(), 0
    while done < rounds or time.perf_counter() - started < seconds:
        for name, function in functions.items():
            times[name].append(seconds_per_call(function, calls[name]))
        done += 1
    return times


def calls_in_a_turn(function):
    """How many calls a turn has. The first call, which may compile or allocate, is not counted."""
    function()
    return max(1, math.ceil(TURN / seconds_per_call(function, 1)))


def seconds_per_call(function, calls):
    """The mean over so many calls in a row."""
    started = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - started) / calls


def ratio(times, others):
    """The median over the rounds of times / others."""
    return median(a / b for a, b in zip(times, others, strict=True))
