import pytest

from benchmarks.false_alarms import check_one, main
from numpylm.proof.gradient_check import CHECKS


def test_right_gradients_raise_no_alarm(capsys):
    assert main(["2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CHECKS)
    assert all("2 checks    0 false alarms" in line for line in lines)


def test_an_alarm_is_counted_and_told_by_the_exit_status(monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.false_alarms.check_one", lambda seed, method: check_one(seed, method)._replace(
        complaints=["this is an alarm"] if seed == 1 else []
    ))  # fmt: skip
    assert main(["2"]) == 1
    assert "1 false alarms" in capsys.readouterr().out


@pytest.mark.parametrize("count", ["x", "0", "-1", "2.5"])
def test_a_count_that_is_none_is_refused(count, capsys):
    with pytest.raises(SystemExit) as raised:
        main([count])
    assert raised.value.code == 2
    assert "COUNT" in capsys.readouterr().err
