"""What the syntax tree of a student's function says: what it returns, calls, takes apart and keeps. It runs in the
child process."""

import ast
import re

DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def names_bound(node):
    """The names that a statement would make."""
    if isinstance(node, DEFINITIONS):
        return [node.name]
    imports = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
    return [
        *[(name.asname or name.name).partition(".")[0] for n in imports for name in n.names],
        *names_in(node, ast.Store),
    ]


def names_in(node, context):
    """The names that a piece of a tree reads (ast.Load) or makes (ast.Store)."""
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, context)]


def calls_in(function, known):
    """Each call of a known name in a function, or at the top level: its name, its arguments, and (name, targets) of
    each such call of the same object that is assigned."""
    nodes, made, found = list(own_nodes(function)), {}, {}
    for n in [n for n in nodes if isinstance(n, ast.Call)]:
        before, _, name = ast.unparse(n.func).rpartition(".")
        if name in known:
            beside = made.setdefault(before, [])
            found[n] = {"name": name, "args": list(map(ast.unparse, n.args)), "made": beside}
    for n in [n for n in nodes if isinstance(n, ast.Assign) and n.value in found]:
        call, targets = found[n.value], getattr(n.targets[0], "elts", n.targets[:1])
        call["made"].append([call["name"], list(map(ast.unparse, targets))])
    return list(found.values())


def own_nodes(function):
    """The nodes of a function without those of the functions and classes in it."""
    left = [function]
    while left:
        inside = [node for node in ast.iter_child_nodes(left.pop()) if not isinstance(node, DEFINITIONS)]
        left += inside
        yield from inside


def is_script(tree):
    """Whether a loop outside any function seems to go backward: it makes names such as delta, dW or W_update."""
    inside = [line for node in tree.body if isinstance(node, ast.If) for line in node.body]
    loops = [node for node in (*tree.body, *inside) if isinstance(node, ast.For | ast.While)]
    return gradients_among(name for loop in loops for name in names_bound(loop)) > 1


def gradients_among(names):
    """How many of some names are those of gradients, such as delta, dW or W_update."""
    return sum(bool(re.search(r"delta|grad|_update$|^d_?[WUVbh]|^d[iofgc](_\w+)?$", name)) for name in names)


def counts(nodes, sign, called):
    """Whether a function counts steps, as in self.t += 1, or appends to a list; with Sub, the way back."""
    sums = [n for n in nodes if isinstance(n, ast.AugAssign) and isinstance(n.op, sign)]
    is_counted = any(isinstance(n.target, ast.Attribute) and getattr(n.value, "value", None) == 1 for n in sums)
    return is_counted or {ast.Add: "append", ast.Sub: "pop"}[sign] in called


def keys_in(nodes):
    """The texts that a function takes entries by, also those in a list that it goes through."""
    keys = [n.slice for n in nodes if isinstance(n, ast.Subscript)]
    listed = [n.iter for n in nodes if isinstance(n, ast.For | ast.comprehension)]
    keys += [part for n in listed if isinstance(n, ast.Tuple | ast.List) for part in n.elts]
    return [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def made_in(nodes):
    """The attributes of its object that a method writes."""
    written = [n for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)]
    return [n.attr for n in written if ast.unparse(n.value) == "self"]


def keeps(nodes, local):
    """Whether a function writes into what outlives its call: its object, or what the file holds."""
    places = [n for n in nodes if isinstance(n, ast.Attribute | ast.Subscript) and isinstance(n.ctx, ast.Store)]
    for place in places:
        while hasattr(place, "value"):
            place = place.value
        if getattr(place, "id", "self") not in set(local) - {"self"}:
            return True
    return False


def unpacked(nodes):
    """(source without `self.`, names) of each assignment that takes something apart: a, b = self.params."""
    for n in nodes:
        pairs = [(n.targets[0], n.value)] if isinstance(n, ast.Assign) else []
        if pairs and isinstance(n.targets[0], ast.Tuple) and isinstance(n.value, ast.Tuple):
            pairs = zip(n.targets[0].elts, n.value.elts, strict=False)
        for target, value in pairs:
            if isinstance(target, ast.Tuple):
                names = [getattr(part, "id", getattr(part, "attr", "")) for part in target.elts]
                yield ast.unparse(value).removeprefix("self."), names


def returned(nodes, by_name=False):
    """The source of each value in the last return statement; of a name, unless by_name, the list that it stands for."""
    found = [node.value for node in nodes if isinstance(node, ast.Return) and node.value]
    value = max(found, key=lambda node: node.lineno) if found else None
    listed = (ast.Tuple, ast.List)
    made = {node.targets[0].id: node.value for node in nodes if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name) and isinstance(node.value, listed) and node.value.elts
            and not by_name}  # fmt: skip
    value = made.get(value.id, value) if isinstance(value, ast.Name) else value
    parts = value.elts if isinstance(value, listed) else [value] if value else []
    lists = {name: value for name, value in made.items() if len(value.elts) > 1}
    return [ast.unparse(lists.get(part.id, part) if isinstance(part, ast.Name) else part) for part in parts]
