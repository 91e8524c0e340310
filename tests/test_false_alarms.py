import pytest

from benchmarks.false_alarms import check_one, main
from numpylm.proof.gradient_check import CHECKS


def test_right_gradients_raise_no_alarm_and_an_alarm_shows_in_the_exit_status(monkeypatch, capsys):
    assert main(["2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CHECKS)
    assert all("2 checks    0 false alarms" in line for line in lines)

    def alarm(seed, method):
        return check_one(seed, method)._replace(complaints=["this is an alarm"] * seed)

    monkeypatch.setattr("benchmarks.false_alarms.check_one", alarm)
    assert main(["2"]) == 1 and "1 false alarms" in capsys.readouterr().out
    assert main(["2", "--foreign"]) == 0


def test_a_count_that_is_none_is_refused():
    with pytest.raises(SystemExit):
        main(["0"])
