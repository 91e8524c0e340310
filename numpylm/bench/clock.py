"""Time several functions against each other on a machine that has other work to do.

The functions take turns, A B C A B C …, so that a slow minute is slow for all of them. A turn is one call, or as many
calls as fill a twentieth of a second: a single short call would find the caches full of the others' arrays. A time is
the median over the rounds. A ratio is the median of the rounds' ratios: both times were measured in the same round.

There are two clocks. The wall clock counts everything. The processor's clock stands still while another program has the
processor, and runs twice as fast for two threads.
"""

import math
import time
from statistics import median

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
TURN = 0.05  # seconds that a turn lasts, at least
TIE = 1.15  # times that differ by less than this factor are called a tie


def race(functions, rounds, seconds, clock="wall"):
    """Name -> [seconds per call in each round], from name -> function of no arguments.

    There are at least `rounds` rounds, and more until `seconds` have gone by. The first call of each function is not
    counted, because it may compile or allocate.
    """
    calls, times = {}, {name: [] for name in functions}
    for name, function in functions.items():
        function()
        calls[name] = max(1, math.ceil(TURN / seconds_per_call(function, 1, time.perf_counter)))
    started, done = time.perf_counter(), 0
    while done < rounds or time.perf_counter() - started < seconds:
        for name, function in functions.items():
            times[name].append(seconds_per_call(function, calls[name], CLOCKS[clock]))
        done += 1
    return times


def seconds_per_call(function, calls, read_clock):
    """The mean over a number of calls in a row."""
    started = read_clock()
    for _ in range(calls):
        function()
    return (read_clock() - started) / calls


def ratio(times, others):
    """The median over the rounds of times / others."""
    return median(a / b for a, b in zip(times, others, strict=True))


def is_tie(quotient):
    """Whether two times with this quotient are too close to call one of them faster."""
    return 1 / TIE < quotient < TIE
