"""`python -m numpylm check FILE`: are a student's own functions right? Each is found by name and checked alone.

The exit status is 0 if at least one function was found, every one that was found is right, and none is missing that was
required by --require or by the file's own list EXERCISE; 1 if not; 2 if there is no such file.
"""

import json

DESCRIPTION = (
    "Check functions of known names in a Python file, such as lstm_step_backward,\n"
    "and say what is likely wrong. The exit status is 0 if all are right."
)


def add_options(parser):
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="a Python file with functions of known names")
    add("--require", action="append", default=[], metavar="NAME[,NAME]", help="functions that must be there (those in "
        "the file's list EXERCISE); may be given several times")  # fmt: skip
    add("--convention", metavar="NAME", help="read the file in one convention: --list shows them")
    add("--forward", metavar="NAME", help="any function, to be checked with --backward and --shapes")
    add("--backward", metavar="NAME", help="its backward: gradient(s) in, then the cache or arguments")
    add("--shapes", metavar="S", help='the shapes of its parameters: "x=3,4 h=3,5 W=4,5"')
    add("--seconds", type=float, default=10, metavar="S", help="a function, read in one way, may take so long (10)")
    add("--memory", type=float, default=2000, metavar="MB", help="and take so much memory (2000)")
    add("--seed", type=int, metavar="N", help="repeat a run: its seed is the report's last line")
    add("--show-lines", action="store_true",
        help="show our own lines that a mistake is about: they give the answer away")  # fmt: skip
    add("--json", action="store_true", help="print the result as JSON, for a grader")
    add("--list", action="store_true", help="the functions that are known, and what they return")


def run(options):
    """numpylm check: prints the report, returns the exit status. Raises OSError and ValueError as check_file."""
    from numpylm.tutor.checking import Result, check_file
    from numpylm.tutor.report import as_json, list_as_json, report, signatures

    if options.list:
        print(json.dumps(list_as_json(), indent=2) if options.json else signatures())
        return 0
    try:
        if not options.file:
            raise ValueError("give the file to check, such as my_lstm.py; --list shows what it may hold")
        if options.seed is not None and options.seed < 0:
            raise ValueError(f"--seed must be 0 or more; got {options.seed}")
        required = [name.strip() for names in options.require for name in names.split(",") if name.strip()]
        named = named_pair(options.forward, options.backward, options.shapes)
        result = check_file(options.file, required, options.seconds, options.memory, options.seed,
                            convention=options.convention, named=named)  # fmt: skip
    except (OSError, ValueError) as error:
        if not options.json:
            raise
        told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        print(json.dumps(as_json(Result(options.file, {"status": "error", "sentences": [told]}, {})), indent=2))
        return 2
    print(json.dumps(as_json(result), indent=2) if options.json else report(result, options.show_lines))
    return 0 if result.ok else 1


def named_pair(forward, backward, shapes):
    """(forward, backward, name -> shape) of the options; None without them. Raises ValueError where one is missing."""
    if forward is None and backward is None and shapes is None:
        return None
    if None in (forward, backward, shapes):
        raise ValueError('--forward, --backward and --shapes belong together: --shapes "x=3,4 W=4,5"')
    found = {}
    for part in shapes.split():
        name, equals, sizes = part.partition("=")
        numbers = [size for size in sizes.split(",") if size]
        if not (name.isidentifier() and equals and all(n.isdigit() and 0 < int(n) < 100 for n in numbers)):
            raise ValueError(f"--shapes: {part!r} is no shape such as x=3,4, of sizes from 1 to 99")
        found[name] = tuple(map(int, numbers))
    return forward, backward, found
