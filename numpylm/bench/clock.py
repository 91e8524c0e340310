"""Timing things against each other on a machine that has other work to do.

All are run in turn, A B C A B C …, so that a slow minute is slow for all of them. A turn is one call, or as many as
fill a twentieth of a second: a short call by itself would find the caches full of the others' arrays. A time is the
median over the rounds, a ratio the median of the rounds' ratios: both its halves were measured in one round, one after
the other.

Two clocks can be read: the one on the wall, and the processor's, which stands still while another process has the
processor, and goes twice as fast for two threads. Alone on a machine, with one thread, they agree.
"""

import math
import time
from statistics import median, quantiles

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
TURN = 0.05  # seconds that a turn lasts, at least
TIE = 1.15  # what differs by less than this factor is called a tie


def race(functions, rounds, seconds, clock="wall"):
    """Name -> [seconds per call in each round, by a clock of CLOCKS], from name -> function of no arguments.

    Runs at least so many rounds, and more until so many seconds have gone by. The first call of each, which may compile
    or allocate, is not counted.
    """
    calls = {name: calls_in_a_turn(function) for name, function in functions.items()}
    times = {name: [] for name in functions}
    started, done = time.perf_counter(), 0
    while done < rounds or time.perf_counter() - started < seconds:
        for name, function in functions.items():
            times[name].append(seconds_per_call(function, calls[name], CLOCKS[clock]))
        done += 1
    return times


def calls_in_a_turn(function):
    """How many calls fill a turn."""
    function()
    return max(1, math.ceil(TURN / seconds_per_call(function, 1)))


def seconds_per_call(function, calls, clock=time.perf_counter):
    """The mean over so many calls in a row."""
    started = clock()
    for _ in range(calls):
        function()
    return (clock() - started) / calls


def cores_used(function, seconds=0.05):
    """Seconds of processor time per second while the function runs again and again: about 1 on one thread, 2 on two,
    less where the machine has other work to do."""
    processor, wall = time.process_time(), time.perf_counter()
    while time.perf_counter() - wall < seconds:
        function()
    return (time.process_time() - processor) / (time.perf_counter() - wall)


def ratio(times, others):
    """The median over the rounds of times / others."""
    return median(ratios(times, others))


def spread(times, others):
    """How sure a ratio is: half the distance of the quartiles of the rounds' ratios, as a share of their median."""
    if len(times) < 2:
        return math.nan
    low, middle, high = quantiles(ratios(times, others), n=4, method="inclusive")
    return (high - low) / 2 / middle


def ratios(times, others):
    """times / others, round by round."""
    return [a / b for a, b in zip(times, others, strict=True)]


def is_tie(quotient):
    """Whether two times with this quotient are too close to call one the faster."""
    return 1 / TIE < quotient < TIE
