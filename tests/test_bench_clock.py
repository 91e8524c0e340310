"""The clock: turns are taken in order, counted rightly, and compared round by round. Time itself is made up here."""

import math

import pytest

from numpylm.bench import clock


@pytest.fixture
def at(monkeypatch):
    """A made-up time, a list of one number, that functions advance."""
    now = [0.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(clock, "CLOCKS", {"wall": lambda: now[0], "processor": lambda: now[0] / 2})
    monkeypatch.setattr(clock.seconds_per_call, "__defaults__", (lambda: now[0],))
    return now


def taking(at, seconds, log, name):
    """A function that takes so long, and notes its name."""

    def function():
        at[0] += seconds
        log.append(name)

    return function


def test_everyone_has_a_turn_in_every_round_in_order(at):
    log = []
    times = clock.race({name: taking(at, s, log, name) for name, s in (("a", 1.0), ("b", 2.0), ("c", 3.0))}, 2, 0)
    assert "".join(log) == "aabbcc" + "abc" * 2, "one call unmeasured, one to see how long it takes, then the rounds"
    assert times == {"a": [1, 1], "b": [2, 2], "c": [3, 3]}


def test_short_calls_fill_a_turn_and_are_divided_by_their_number(at):
    log = []
    times = clock.race({"short": taking(at, clock.TURN / 4, log, "s"), "long": taking(at, 1.0, log, "l")}, 1, 0)
    assert "".join(log) == "ssll" + "ssssl"
    assert times == {"short": [pytest.approx(clock.TURN / 4)], "long": [1.0]}


def test_rounds_go_on_until_the_seconds_are_over(at):
    log = []
    times = clock.race({"a": taking(at, 1.0, log, "a")}, 2, 4.5)
    assert len(times["a"]) == 5


def test_the_processors_clock_is_read_where_it_is_asked_for(at):
    times = clock.race({"a": taking(at, 1.0, [], "a")}, 2, 0, "processor")
    assert times["a"] == [0.5, 0.5]


def test_the_cores_that_are_used_are_processor_time_over_time(at, monkeypatch):
    monkeypatch.setattr(clock.time, "process_time", lambda: 1.5 * at[0])
    assert clock.cores_used(taking(at, 0.01, [], "a")) == pytest.approx(1.5)


def test_ratios_are_taken_within_a_round():
    slow_second_round = [1.0, 10.0, 1.0], [2.0, 20.0, 2.0]
    assert clock.ratio(*slow_second_round) == 0.5
    assert clock.spread(*slow_second_round) == 0
    assert clock.ratio([1.0, 3.0, 8.0], [1.0, 1.0, 4.0]) == 2.0


def test_the_spread_is_half_the_distance_of_the_quartiles():
    assert clock.spread([1.0, 2.0, 3.0, 4.0, 5.0], [1.0] * 5) == pytest.approx(1 / 3)
    assert math.isnan(clock.spread([1.0], [1.0]))


def test_a_tie_is_less_than_fifteen_per_cent_apart_in_either_direction():
    assert [clock.is_tie(q) for q in (0.86, 0.88, 1.0, 1.14, 1.16)] == [False, True, True, True, False]
