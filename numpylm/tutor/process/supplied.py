"""The end of a step of a training loop, which is added to a student's file before it is run, in the child process.

A function, or the top level, that goes forward and backward in a loop returns after one step its loss, and all arrays
that it made under names of gradients.
"""

import ast
import re

LOOP = "training_loop"  # the name of the function that holds a loop of the top level
STEP = "def f(): return {{'loss': {}}} | {{k: v for k, v in {}().items() if k[0] in 'dg' and hasattr(v, 'dtype')}}"
GRADIENT = re.compile(r"(d|grad)_?[A-Za-z]")
LOSS = re.compile(r"\w*(loss|cost|error)\w*")


def with_steps(tree):
    """The names of the functions that now return after one step. A loop of the top level becomes a function."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    names = [function.name for function in functions if ends_after_a_step(function)]
    for loop in [node for node in tree.body if isinstance(node, ast.For | ast.While | ast.Try)]:
        if not names and ends_after_a_step(loop, "globals"):
            made = {n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            (function,) = ast.parse(f"def {LOOP}(): global {', '.join(sorted(made))}").body
            function.body.append(WithoutData().visit(loop))
            tree.body.append(ast.copy_location(function, loop))
            names.append(LOOP)
    return names


def ends_after_a_step(holder, names="locals"):
    """Whether a loop in it sets gradients to zero, each time anew, and adds up a loss; it then returns both."""
    for loop in [node for node in ast.walk(holder) if isinstance(node, ast.For | ast.While)]:
        starts = [node for node in loop.body if isinstance(node, ast.Assign) and is_zero(node.value)]
        made = [n.id for node in starts for n in ast.walk(node) if isinstance(n, ast.Name)]
        sums = [ast.unparse(node.target) for node in ast.walk(loop) if isinstance(node, ast.AugAssign)]
        totals = [name for name in sums if LOSS.fullmatch(name)]
        if sum(bool(GRADIENT.match(name)) for name in made) > 2 and totals:
            (function,) = ast.parse(STEP.format(totals[0], names)).body
            loop.body += [ast.copy_location(line, loop) for line in function.body]
            return True
    return False


def is_zero(value):
    """Whether a value is 0, or is made of zeros."""
    return getattr(value, "value", None) == 0 or "zeros" in ast.dump(value)


class WithoutData(ast.NodeTransformer):
    """Leaves out where a loop takes its inputs and targets from the data: the check gives them."""

    def visit_Assign(self, node):
        made = {getattr(n, "id", "") for target in node.targets for n in getattr(target, "elts", [target])}
        return ast.copy_location(ast.Pass(), node) if made <= {"inputs", "targets"} else node
