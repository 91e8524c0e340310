"""A reader steps through the mathematics: in pdb, and by the protocol that VS Code and JupyterLab speak.

Both stop inside the package's own step functions at one t, and what they show there is what the record holds.
"""

import ast
import inspect
import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from debug_adapter import DebugAdapter
from processes import ROOT, SECONDS, environment, run_numpylm

import numpylm as nlm
from numpylm import lstm
from numpylm.stepping.small import small_model
from numpylm.stepping.walk import run_once

README = (ROOT / "README.md").read_text(encoding="utf-8")
T, AT = 3, 2
STEPS = {
    "rnn": (("a_t", "h_t"), ("da_t", "dh_prev")),
    "lstm": (("i_t", "f_t", "o_t", "c_tilde_t", "c_t", "h_t"), ("dc_t", "dh_prev", "df_t", "dc_prev")),
    "gru": (("r_t", "z_t", "n_t", "h_t"), ("dz_t", "dhW_t", "dh_prev")),
}


def recorded(cell, at=AT):
    """Name -> array of all that step t computes forward and backward, from the package's own records."""
    model, vocabulary = small_model(cell=cell)
    tokens = nlm.encode(vocabulary, "look").astype(int)[:, None]
    run = run_once(model, tokens[:-1], tokens[1:])
    return {**run.forward.trace.layers[0].steps[at]._asdict(), **run.layers[0].steps[at]._asdict()}


def shown(out):
    """Name -> array for every line ('name', [[...]]) of a debugger's output."""
    found = re.findall(r"\('(\w+)', (\[\[.*?\]\])\)", out)
    return {name: np.array(ast.literal_eval(values)) for name, values in found}


def printing(names):
    """pdb's commands that show these names to the last digit."""
    return [f"p '{name}', {name}.tolist()" for name in names]


def typed(lines):
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("cell", STEPS)
def test_pdb_stops_inside_both_step_functions_at_t(cell, tmp_path):
    """--pdb: r runs to the function's return, where all its names are known."""
    forward, backward = STEPS[cell]
    commands = ["r", *printing(forward), "c", "r", *printing(backward), "c"]
    status, out, err = run_numpylm("step", "--cell", cell, "--pdb", "--at", AT, folder=tmp_path, stdin=typed(commands))
    assert (status, err) == (0, "")
    assert re.findall(r"^> .*\b(\w+)\(\)(?:->.*)?$", out, re.MULTILINE) == [
        f"{cell}_step", f"{cell}_step", f"{cell}_step_backward", f"{cell}_step_backward",
    ]  # fmt: skip
    assert f"at t = {AT}" in out
    truth, values = recorded(cell), shown(out)
    assert values.keys() == {*forward, *backward}
    for name in values:
        assert np.array_equal(values[name], truth[name]), name


@pytest.mark.parametrize(
    ("flags", "functions"),
    [(["--forward"], ["lstm_step"]), (["--backward", "--at", "2"], ["lstm_step_backward"])],
)
def test_pdb_stops_where_it_is_asked_to_and_nowhere_else(flags, functions, tmp_path):
    commands = ["p 'h_prev', (h_prev if 'h_prev' in dir() else step.h_prev).tolist()", "c"] * len(functions)
    status, out, err = run_numpylm("step", "--cell", "lstm", "--pdb", *flags, folder=tmp_path, stdin=typed(commands))
    assert (status, err) == (0, "")
    assert re.findall(r"^> .*\b(\w+)\(\)$", out, re.MULTILINE) == functions
    at = int(flags[flags.index("--at") + 1]) if "--at" in flags else 0
    assert np.array_equal(shown(out)["h_prev"], recorded("lstm", at)["h_prev"])


@pytest.mark.parametrize("commands", [["q"], []])
def test_leaving_pdb_is_no_error(commands, tmp_path):
    status, _, err = run_numpylm("step", "--pdb", folder=tmp_path, stdin="".join(f"{c}\n" for c in commands).encode())
    assert (status, err) == (0, "")


def test_pdb_on_a_script_of_ones_own(tmp_path):
    """The very commands of README's line, on README's very example."""
    (line,) = re.findall(r"^- \*\*pdb, a script of your own.*$", README, re.MULTILINE)
    name, start, *commands = re.findall("`([^`]+)`", line)
    assert start == f".venv/bin/python -m pdb {name}" and commands[-2:] == ["p i_t[0, :5]", "q"]
    script = tmp_path / name
    script.write_text(re.search(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[1], encoding="utf-8")
    commands.insert(-1, "p 'i_t', i_t.tolist()")
    process = subprocess.run(
        [sys.executable, "-m", "pdb", str(script)],
        input=typed(commands), capture_output=True, timeout=SECONDS, env=environment(), cwd=tmp_path,
    )  # fmt: skip
    out = process.stdout.decode("utf-8")
    assert process.returncode == 0 and re.search(r"> .*lstm_step\(\)$", out, re.MULTILINE)
    assert np.array_equal(shown(out)["i_t"], first_i_t())


def first_i_t():
    """The i_t (N, H) of the first step that README's example takes."""
    text = "she sells sea shells by the sea shore. " * 20
    vocabulary = nlm.build_vocabulary(text, "char")
    inputs, _ = nlm.cut_streams(nlm.encode(vocabulary, text), batch_size=20)
    model = nlm.LSTMLM(len(vocabulary), embedding_dim=8, hidden_dim=32, dtype=np.float64)
    return model.forward(inputs[:1]).trace.layers[0].steps[0].i_t


def return_line(function):
    """The number of a function's last line, where all its names are known."""
    lines, first = inspect.getsourcelines(function)
    return first + len(lines) - 1


def as_array(text):
    """An array from what the variables pane shows of it: array([[…]]), with eight digits."""
    return np.array(ast.literal_eval(re.fullmatch(r"array\((.*)\)", text, re.DOTALL)[1]))


@pytest.mark.skipif(find_spec("debugpy") is None, reason="debugpy, which comes with jupyter, is not installed")
def test_debugpy_stops_inside_both_step_functions_at_t():
    source = {"path": str(ROOT / "numpylm" / "lstm.py")}
    lines = [return_line(lstm.lstm_step), return_line(lstm.lstm_step_backward)]
    truth, stops = recorded("lstm"), []
    with DebugAdapter() as adapter:
        adapter.launch("numpylm", "step", "--cell", "lstm", "--at", str(AT))
        placed = adapter.request("setBreakpoints", source=source, breakpoints=[{"line": line} for line in lines])
        assert [place["verified"] for place in placed["breakpoints"]] == [True, True]
        adapter.request("configurationDone")
        for _ in range(2 * T):
            thread = adapter.event("stopped")[1]["threadId"]
            stops.append(adapter.local_variables(thread))
            adapter.request("continue", threadId=thread)
        end = adapter.event("exited", "stopped")
        assert end == ("exited", {"exitCode": 0}), "the calls that prove the numbers do not stop"
    assert [name for name, _ in stops] == ["lstm_step"] * T + ["lstm_step_backward"] * T
    at_t = stops[AT], stops[T + T - 1 - AT]
    for (_, variables), names in zip(at_t, STEPS["lstm"], strict=True):
        for name in names:
            assert np.allclose(as_array(variables[name]), truth[name], rtol=0, atol=1e-8), name
