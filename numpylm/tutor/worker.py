"""The child process that runs a student's functions: a line of JSON on standard output as each begins and ends.

    main([FILE, MEGABYTES, NAME=STATE, ...])      leaves out the functions whose state is known; child.py starts it

Whatever the student's code does (loop for ever, exit, recurse, print, fill the memory) stays in this process;
child.py watches it.
"""

import json
import os

from numpylm.tutor.examine import check_function
from numpylm.tutor.loading import (
    exercise_names,
    hidden_modules,
    library_functions,
    load,
    methods,
    other_names,
    student_functions,
)
from numpylm.tutor.memory import limit_memory
from numpylm.tutor.printed import Printed, quiet
from numpylm.tutor.stop import Stop


def main(arguments):
    """Checks a file in so much memory, and tells the parent what it finds."""
    path, megabytes, *known = arguments
    tell = parent_line()
    limit_memory(float(megabytes))
    check_functions(path, dict(pair.split("=") for pair in known), tell)


def check_functions(path, states, tell):
    """Checks every known function of a file but those whose states are known, and tells what it finds, one by one."""
    tell({"begin": ""})
    printed = Printed()
    try:
        with quiet(printed):
            module = load(path)
    except Stop as stop:
        return tell({"end": "", "printed": printed.getvalue(), "hides": hidden_modules(path)} | stop.finding)
    functions = student_functions(module)
    tell({"end": "", "status": "ok", "hides": hidden_modules(path)} | contents(module))
    left_out, states = list(states), dict(states)
    for name in functions:
        if name not in left_out:
            tell({"begin": name})
            finding = check_function(name, functions, states, tell)
            states[name] = "shared" if finding.pop("shared", False) else finding["status"]
            tell({"end": name} | finding)
            if finding.get("out_of_memory"):  # what it took may still be held: the next child has all of it again
                return None
    return tell({"finished": True})


def contents(module):
    """What a file holds, apart from how right it is."""
    return {
        "functions": list(student_functions(module)),
        "exercise": exercise_names(module),
        "others": other_names(module),
        "methods": methods(module),
        "library": library_functions(module),
    }


def parent_line():
    """A function that writes one JSON line to the parent; the student's own output goes elsewhere from now on."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)

    def tell(message):
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    return tell
