"""The lines of the source that the page lists, and from which quantities each quantity is computed."""

import inspect
from pathlib import Path

from numpylm.affine import affine_backward, affine_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.notebook import equations_in
from numpylm.proof.moved_step import cell_function
from numpylm.stepping.formulas import formula, names_in
from numpylm.stepping.walk import GATES, parts_of

OF_TOKENS = {  # one number for each token of the vocabulary: what they are, for their lines alone do not say it
    "logits": "h_t W_hy + b_y",
    "y": "softmax(logits)",
    "dlogits": "(y − 1 at the token that came) / T",
}
AROUND = {  # what a quantity is computed from, and how many steps away: between the steps, and around the cell
    "h_prev": [("h_t", -1)], "c_prev": [("c_t", -1)], "dh_next": [("dh_prev", 1)], "dc_next": [("dc_prev", 1)],
    "logits": [("h_t", 0)], "y": [("logits", 0)], "dlogits": [("y", 0)], "dh": [("dlogits", 0)],
}  # fmt: skip
NOT_QUANTITIES = {"x", "b", "dh", "da_t", "dhW_t"}  # names that a formula may show, besides those that have numbers


def lines(cell, numbers, forward, backward):
    """{"forward": …, "backward": …}: the lines in their order. Each is a dict: the names that it gives, its source,
    its place ("lstm.py:111"), equation and formula, and what the formula reads."""
    f = cell.options.get("nonlinearity", "tanh")
    meaning = {"f": f, "f_backward": f"{f}_backward"}
    known = numbers.keys() | NOT_QUANTITIES
    return {
        direction: [
            line(name, every[0], [cell_function(cell, function) for function in functions], known, meaning)
            for name, every in entries.items()
            if not name.endswith("_prev") or entries is backward  # h_prev and c_prev are given
        ]
        for direction, entries, functions in (
            ("forward", forward, ("forward", "step")),
            ("backward", backward, ("backward", "step_backward")),
        )
    }


def line(name, entry, functions, known, meaning):
    """One line: see lines."""
    source = entry.lines[-1]
    place, function = where(source, functions)
    assigned = source.partition(" ")[0].partition("[")[0].rstrip(",")
    text = formula(function, assigned, known, meaning) if function in functions else ""
    return {
        "names": [part for part, _ in parts_of(entry)] if entry.packed else [name],
        "source": f"{name} = {OF_TOKENS[name]}" if name in OF_TOKENS else source.partition("  #")[0],
        "place": place,
        "equation": ", ".join(map(str, sorted(equations_in(source)))),
        "formula": "" if name == "dx" else text,
        "reads": names_in(text),
    }


def where(source, functions):
    """("lstm.py:111", the function) of a line of the source; ("", None) for what is none."""
    for function in (*functions, affine_forward, affine_backward, cross_entropy_forward, cross_entropy_backward):
        texts, first = inspect.getsourcelines(function)
        for number, text in enumerate(texts, start=first):
            if text.strip() == source:
                return f"{Path(inspect.getsourcefile(function)).name}:{number}", function
    return "", None


def parts(cell, numbers):
    """Packed name -> the quantities that lie side by side in it: xW_t -> xW_i, xW_f, xW_o, xW_c."""
    gates = GATES[cell.name]
    named = {stem: [f"{stem[:-2]}_{gate}" for gate in gates] for stem in ("xW_t", "hW_t", "a_t", "da_t")}
    named["dhW_t"] = ["da_r", "da_z", "dhWb_n"]
    return {name: among for name, among in named.items() if among and set(among) <= numbers.keys()}


def sources(listed, packed, numbers):
    """name -> [(what it is computed from, how many steps away)]."""
    found = {name: read for name, read in AROUND.items() if name in numbers or name in OF_TOKENS}
    found["dx"] = [(name, 0) for name in packed.get("da_t", ["da_t"])]
    for row in [*listed["forward"], *listed["backward"]]:
        for name in row["names"]:
            reads = [part for read in row["reads"] for part in parts_read(name, read, packed)]
            found.setdefault(name, [(read, 0) for read in reads if read in numbers])
    return found


def uses(found):
    """name -> [(what is computed from it, how many steps away)], for the sources that were found."""
    turned = {}
    for user, reads in found.items():
        for name, away in reads:
            turned.setdefault(name, []).append((user, -away))
    return turned


def parts_read(name, read, packed):
    """What a formula of this name reads by a packed name: a_f reads xW_f of xW_t, and dh_prev all of da_t."""
    gate = name.rpartition("_")[2]
    own = [part for part in packed.get(read, []) if part.endswith(f"_{gate}")]
    return own or packed.get(read, [read])
