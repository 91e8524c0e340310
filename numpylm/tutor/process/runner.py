"""The process that runs a student's code: it is told what to call on which arrays, and answers with arrays.

It holds neither right answers nor a verdict, and does not import numpylm. It is sent as text by child.py, behind the
files that it imports, and started with FILE, the package's folder and a number of megabytes. Each request is a program:
a list of steps, each of which calls a function, sets a name, or reads one (see run_steps).
"""

import contextlib
import copy
import io
import os
import sys
import traceback
import warnings
from collections import ChainMap

import numpy as np

from numpylm.tutor.process.inspecting import Student  # child.py removes the imports from numpylm
from numpylm.tutor.process.parsing import Unreadable
from numpylm.tutor.process.stand_ins import MADE, noted, usual_names
from numpylm.tutor.process.wire import TooMuch, make_record, parts_of, read_message, write_message

LONGEST_PRINT = 600  # characters of what the student's code prints that are kept
CLIP, TANH = np.clip, np.tanh


class Printed(io.StringIO):
    """What the student's code prints, up to a limit."""

    def write(self, text):
        return super().write(text[: max(0, LONGEST_PRINT - self.tell())]) and len(text)


class Unclipped:
    """np.clip that leaves gradients as they are, and notes their limits. Those above 20, such as of σ, are kept to."""

    def __init__(self):
        self.limits = set()

    def __call__(self, a, a_min=None, a_max=None, *args, min=None, max=None, **kwargs):  # NumPy 2 has both names
        low, high = (a_min if min is None else min), (a_max if max is None else max)
        if high is None or np.max(np.abs(high)) > 20:
            return CLIP(a, low, high, *args, **kwargs)
        if low is not None and np.all(np.add(low, high) == 0):
            self.limits.add(float(np.max(high)))
        return a


class Waves:
    """f(x) = Σ_k sin(x_k) x_k² + x_1 x_2 + …, which reads x, or what it is given: f() and f(x) both work."""

    def __init__(self, x):
        self.x = x

    def __call__(self, x=None):
        x = (self.x if x is None else np.asarray(x)).ravel()
        return (np.sin(x) * x**2).sum() + (x[:-1] * x[1:]).sum()


class Descent:
    """The optimizer that other code is given: plain gradient descent at a learning rate of 1."""

    def update(self, w, gradient):
        return w - gradient


def run_steps(student, steps, inputs, changes=None):
    """The namespace after all steps, each of which is one of

        {"call": PATH, "args": [...], "kwargs": {...}, "to": NAME}     call a function and keep what it returns
        {"set": PATH, "value": VALUE}                                  set a global, an attribute or an entry

    A path is a list that begins with a name: an earlier result, or a global of the student's file. A value may hold
    {"slot": NAME}, a copy of that input, {"slot": NAME, "at": t}, one of its steps, {"zeros": NAME}, zeros of its
    shape, and {"from": PATH}, an earlier result. changes gets the names of the last call's arguments that it changed.
    """
    space = ChainMap({}, vars(student.module), {"descent": Descent(), "_gathered": gathered}, usual_names())
    if any("set" in step or step.get("to") == "object" for step in steps):
        np.random.seed(0)  # an object that is made with random weights is the same each time
    for made in MADE.values():
        made.clear()
    for step in steps:
        copies = {}
        if "set" in step:
            assign(step["set"], fill(step["value"], inputs, copies, space), space)
            continue
        value = [fill(v, inputs, copies, space) for v in step.get("args", [])]
        named = {k: fill(v, inputs, copies, space) for k, v in step.get("kwargs", {}).items()}
        is_watched = changes is not None and step is steps[-1]
        before = bytes_within(value, named) if is_watched else {}
        space[step.get("to", "returned")] = reach(step["call"], space)(*value, **named)
        if is_watched:
            after = bytes_within(value, named)
            changes += [name for name in before if before[name] != after.get(name)]
    return space


def gathered(results):
    """The results of all steps: in place of each part an array whose first axis is time, or a list."""
    if isinstance(results[0], tuple):
        return tuple(gathered(list(parts)) for parts in zip(*results, strict=True))
    return np.array(results) if all(isinstance(result, np.ndarray) for result in results) else results


def fill(value, inputs, copies, space):
    """A value with every slot and every earlier result in its place. copies are those already made for this step."""

    def inner(tree):
        return fill(tree, inputs, copies, space)

    if isinstance(value, dict):
        if "slot" in value:
            name = value["slot"]
            copies[name] = copies[name] if name in copies else copy.deepcopy(inputs[name])
            return copies[name][value["at"]] if "at" in value else copies[name]
        if "from" in value:
            return reach(value["from"], space)
        if "zeros" in value:
            return np.zeros_like(inputs[value["zeros"]])
        if "waves" in value:
            return Waves(inner({"slot": value["waves"]}))
        return {key: inner(item) for key, item in value.items()}
    return type(value)(map(inner, value)) if type(value) in (list, tuple) else value


def reach(path, space):
    """What a path leads to: each part after the first is a key, a place or an attribute."""
    value = space[path[0]]
    for part in path[1:]:
        value = value[part] if isinstance(part, int) or isinstance(value, dict) else getattr(value, part)
    return value


def assign(path, value, space):
    """Set a global of the file, an attribute, or an entry of a dict or list."""
    holder = reach(path[:-1], space) if len(path) > 1 else space.maps[1]
    if isinstance(holder, tuple):  # a record, or a tuple: another in its place
        names = getattr(holder, "_fields", range(len(holder)))
        parts = [value if name == path[-1] else part for name, part in zip(names, holder, strict=True)]
        space[path[0]] = type(holder)(*parts) if hasattr(holder, "_fields") else tuple(parts)
    elif isinstance(path[-1], int) or isinstance(holder, dict):
        holder[path[-1]] = value
    else:
        setattr(holder, path[-1], value)


def bytes_within(values, named):
    """Name -> shape and bytes of all arrays in an argument list: "dh", "cache.0", "parameters.W"."""
    found, seen = {}, set()

    def walk(name, value, depth):
        if isinstance(value, np.ndarray):
            found[name] = value.shape, value.tobytes()
        elif depth < 8 and id(value) not in seen:
            seen.add(id(value))
            for key, part in parts_of(value)[1].items():
                walk(f"{name}.{key}", part, depth + 1)

    for name, value in [*enumerate(values), *named.items()]:
        walk(str(name), value, 0)
    return found


def answer(student, request):
    """The reply to one request: what the paths in `outputs` lead to after its steps, and what was seen if `watched`."""
    printed, changes, reply, unclipped = Printed(), [], {}, Unclipped()
    student.called, student.opened, student.local = set(), set(), {}
    hidden = contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed)
    with warnings.catch_warnings(), np.errstate(all="ignore"), hidden[0], hidden[1]:
        warnings.simplefilter("ignore")
        try:
            if "ready" in request:
                reply["ready"] = True
            elif "load" in request:
                reply["contents"] = student.load()
            elif "vary" in request:
                reply["varied"] = varied(student, request)
            else:
                np.clip = unclipped if request.get("without_clip") else CLIP
                np.tanh = noted(TANH, MADE["tanh"])
                sys.setprofile(student.see_call if request.get("watched", True) else None)  # watching is slow
                space = run_steps(student, request["steps"], request["inputs"], changes)
                space["local"] = student.local.get(request["steps"][-1].get("call", [""])[-1], {})
                reply["outputs"] = [reach(path, space) for path in request["outputs"]]
        except Unreadable as error:
            reply["unreadable"] = list(error.args)
        except BaseException as error:
            reply["error"] = described(student, error)
        finally:
            sys.setprofile(None)
            np.clip, np.tanh = CLIP, TANH
    seen = {"printed": printed.getvalue(), "changed": changes, "called": sorted(student.called)[:50]}
    return reply | seen | {"limits": sorted(unclipped.limits)[:9], "opened": sorted(student.opened)[:20]}


def varied(student, request):
    """For each array of a stack, put into one slot, the outputs: a list of stacks."""
    slot, stack = request["vary"]["slot"], request["vary"]["values"]
    rows = []
    for value in stack:
        space = run_steps(student, request["steps"], request["inputs"] | {slot: value})
        rows.append([np.array(reach(path, space), dtype=float) for path in request["outputs"]])
    return [np.stack(column) for column in zip(*rows, strict=True)]


def described(student, error):
    """An exception as plain text: its type, message, and the last lines of the student's own file that led there."""
    text = str(error).strip().split("\n")[0][:500]
    if isinstance(error, MemoryError):
        limit_memory()  # all again, to say what happened
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == student.path]
    lines = [f"line {f.lineno}, in {f.name}:  {f.line}" for f in frames[-50:]]
    return {"type": type(error).__name__, "text": text, "name": getattr(error, "name", None) or "",
            "lines": list(dict.fromkeys(lines))[-3:]}  # fmt: skip


def limit_memory(megabytes=None):
    """Let this process take so many megabytes beyond what it has, or all; more is a MemoryError. Not on Windows."""
    reserved = 2000 * 2**20  # on a system that does not say what a process has reserved
    with contextlib.suppress(ImportError, ValueError, OSError):  # or that knows the limit and does not keep it
        import resource

        with contextlib.suppress(OSError), open("/proc/self/statm", encoding="ascii") as file:
            reserved = int(file.read().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = hard if megabytes is None else reserved + int(megabytes * 2**20)
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


def serve(path, package, megabytes):
    """Answer requests from standard input until it closes; the student's own output goes nowhere."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    np.random.default_rng(0)
    limit_memory(float(megabytes))
    student = Student(path, package)
    sys.addaudithook(student.see_open)
    while (request := read_message(requests, make_record)) is not None:
        reply = answer(student, request)
        try:
            write_message(replies, reply)
        except TooMuch as error:
            write_message(replies, {"error": {"type": "TooMuch", "text": str(error), "name": "", "lines": []}})


if __name__ == "__main__":
    serve(*sys.argv[1:])
