"""The report of `numpylm check` as text of 80 columns: a line for each function, then what is wrong with it."""

import itertools
import re
import textwrap

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.foreign.conventions import CONVENTIONS

WIDTH = 80
ANY_FUNCTION = 'To check any function: --forward NAME --backward NAME --shapes "x=3,4 W=4,5".'
PASTE = " Or paste this into a test, with your own arguments and shapes, and run pytest:"
HEAD = ("name", "shape", "worst at", "yours", "right", "rel. error", "wrong")
LIST = (
    "Functions that are found by name. Parameters may be any symbols of the equations; values may come as a tuple in "
    "this order, or in a dict or record by name."
)
OTHER_CODE = "Conventions of other code, which are found by themselves (--convention NAME forces one)."


def report(result, show_lines=False):
    """The whole report: functions and their states, the details of those that are not right, and a total.

    show_lines adds which lines of our own source the diagnosis is about. A terminal obeys no character of it.
    """
    text = "\n".join(report_lines(result, show_lines))
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "�", text.expandtabs(4))


def report_lines(result, show_lines):
    """The lines of the report."""
    words = "the name {} hides the module {} from every program in this folder: rename the file"
    said = [*[words.format(name, name.removesuffix(".py")) for name in result.hides], *result.notes]
    if result.error:
        return [f"{result.file} cannot be checked.", "", *body(result.error), *marked("! ", said)]
    if not result.findings and not result.unchecked:
        others = f" It defines {', '.join(result.others)}." if result.others else ""
        words = f"{result.file} holds no function that can be checked.{others} A function is found by its name, such as"
        words += " lstm_step or softmax: `python -m numpylm check --list` shows all names."
        return [*paragraph("", words), *marked("! ", said)]
    lines = [result.file, "", *overview(result.findings), "", *unchecked(result), *marked("! ", said)]
    lines += [""] if said else []
    for name, finding in result.findings.items():
        if finding["status"] != "ok":
            lines += details(name, finding, show_lines)
        elif finding["sentences"]:
            lines += [*marked(f"{name}: ", finding["sentences"]), ""]
    rest = f" {len(result.unchecked)} found and not checked." if result.unchecked else ""
    return [*lines, total(result.findings) + rest, f"(--seed {result.seed} repeats this run)"]


def unchecked(result):
    """What to say of what was found and not checked."""
    said = [f"{name} was found and not checked: {why}" for name, why in result.unchecked.items()]
    said[6:] = [f"{len(said) - 6} more were found and not checked"] if len(said) > 7 else said[6:]
    pasted = ["", *[f"    {line}".rstrip() for line in result.adapter]] if result.adapter else []
    told = paragraph("  ", ANY_FUNCTION + PASTE * bool(pasted))
    return [*marked("! ", said), *told, *pasted, ""] if said else []


def overview(findings):
    """One line for each function: its name, its state, and which quantities are wrong."""
    width = max(map(len, findings), default=0)
    lines = []
    for name, finding in findings.items():
        wrong = ", ".join(row["name"] for row in finding.get("table", []))
        lines.append(cut(f"  {name.ljust(width)}  {word(finding).ljust(11)}  {wrong}".rstrip()))
    taken = dict.fromkeys(finding["convention"] for finding in findings.values() if "convention" in finding)
    return lines + ([f"  (read in the convention: {', '.join(taken)})"] if taken else [])


def word(finding):
    """A finding's status: in capitals, where the function is not right."""
    return finding["status"] if finding["status"] == "ok" else finding["status"].upper()


def cut(line):
    """A line of 80 columns at most; what is cut off is shown to be."""
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def details(name, finding, show_lines=False):
    """A heading, all that was found, and what one of our own functions is to compute."""
    lines = [f"-- {name}: {word(finding)} ".ljust(WIDTH, "-"), "", *body(finding, show_lines), ""]
    known = ASSIGNMENTS.get(name)
    is_foreign = "convention" in finding or (finding["status"] == "not checked" and not finding.get("unknown"))
    if is_foreign or not known:
        return lines
    signature = [] if finding.get("table") else [*paragraph("  ", known.signature, "    "), ""]
    return [*lines, *signature, *[f"    {line}" for line in known.equation.split("\n")], ""]


def body(finding, show_lines=False):
    """Table, sentences, diagnosis, the crash's lines, and what the code printed."""
    lines = columns(finding.get("table", [])) + marked("! ", finding.get("sentences", []))
    codes = finding.get("lines", []) if show_lines else []
    for sentence, code in itertools.zip_longest(finding.get("diagnosis", []), codes, fillvalue=""):
        lines += marked("-> ", [sentence]) + paragraph("   ", code)
    code = [line for line in finding.get("code", []) if line]
    lines += ["", *[cut(f"    {line}") for line in code]] if code else []
    if finding.get("shapes"):
        lines += ["", *paragraph("  ", "it was given " + ", ".join(finding["shapes"]))]
    if finding.get("printed", "").strip():
        lines += ["", "  it printed", *[cut(f"  | {line}") for line in finding["printed"].strip().split("\n")[:8]]]
    return lines


def columns(table):
    """Rows of wrong quantities in aligned columns, and an empty line; [] for no rows. A right answer of -0 is 0."""
    rows = [HEAD]
    for row in table:
        shape, index = (str(tuple(row[key])) if row["shape"] else "-" for key in ("shape", "index"))
        numbers = f"{row['yours']:.4g}", f"{row['right'] + 0.0:.4g}", f"{row['relative_error']:.0e}"
        rows.append((row["name"], shape, index, *numbers, f"{row['num_wrong']}/{row['size']}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
    return [*["  " + "  ".join(row) for row in aligned], ""] if table else []


def marked(mark, sentences):
    """Each sentence as a paragraph after a mark, with a full stop if it has no end; after a colon there is more."""
    ended = [said if said.endswith((".", "?", ":")) else f"{said}." for said in sentences]
    return [line for sentence in ended for line in paragraph(mark, sentence)]


def paragraph(mark, text, indent=""):
    """A text in lines of 80 columns after a mark; the lines after the first are indented further."""
    rest = " " * len(mark) + indent
    return textwrap.wrap(text, WIDTH, initial_indent=mark, subsequent_indent=rest, break_long_words=False)


def total(findings):
    """How many functions are right."""
    right = sum(finding["status"] == "ok" for finding in findings.values())
    if not findings:
        return "Nothing was checked."
    if right == len(findings):
        return "The function is right." if right == 1 else f"All {right} functions are right."
    return f"{right} of {len(findings)} function{'s are' if len(findings) > 1 else ' is'} right."


def signatures():
    """All functions and conventions that are known, for --list."""
    lines = [*paragraph("", LIST), ""]
    for assignment in ASSIGNMENTS.values():
        lines += paragraph("  ", assignment.signature, "    ")
    lines += ["", *paragraph("", OTHER_CODE), ""]
    for name, table in CONVENTIONS.items():
        lines += paragraph("  ", f"{name}: {table.about}", "    ")
        lines += [line for example in table.example.split("\n") for line in paragraph("      ", example, "    ")] + [""]
    return "\n".join(lines)


def as_json(result):
    """The result as a dict for a grader: ok, how many are right, and each function's finding."""
    right = sum(finding["status"] == "ok" for finding in result.findings.values())
    return {
        "file": result.file, "ok": result.ok, "right": right, "functions": len(result.findings), "seed": result.seed,
        "error": result.error, "hides": list(result.hides), "notes": list(result.notes),
        "unchecked": dict(result.unchecked), "findings": result.findings,
    }  # fmt: skip


def list_as_json():
    """Name -> signature, equation and orders of returned values of every function that can be checked."""
    return {n: {"signature": a.signature, "equation": a.equation, "returns": a.returns} for n, a in ASSIGNMENTS.items()}
