"""The end of a step of a training loop, which is added to a student's file before it is run, in the child process.

A function, or the top level, that goes forward and backward in a loop returns after one step its loss, and all arrays
that it made under names of gradients. A loop of the top level that updates weights, and adds up no loss, returns the
targets and outputs whose differences it takes.
"""

import ast
import re

LOOP = "training_loop"  # the name of the function that holds a loop of the top level
STEP = "def f(): return {{'loss': {}}} | {{k: v for k, v in {}().items() if k[0] in 'dg' and hasattr(v, 'dtype')}}"
GRADIENT = re.compile(r"(d|grad)_?[A-Za-z]")
PAIRS = "compared"  # the list of (target, output) that such a loop gets
KEEP = f"{PAIRS}.append(({{}}, {{}}))"
END = f"def f(): return {{'targets': [t + 0.0 for t, _ in {PAIRS}], 'outputs': [y for _, y in {PAIRS}]}}"
TARGET = re.compile(r"(y|Y|t|d|target\w*|label\w*|\w*true)(\W.*)?")
LOSS = re.compile(r"\w*(loss|cost|error)\w*")


def with_steps(tree):
    """Name -> weights that it updates, of the functions that now return after one step. A loop of the top level
    becomes a function."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    steps = {function.name: () for function in functions if ends_after_a_step(function)}
    for loop in [node for node in tree.body if isinstance(node, ast.For | ast.While | ast.Try)]:
        if steps:
            break
        weights = () if ends_after_a_step(loop, "globals") else ends_after_updates(loop, tree)
        if weights is not None:
            made = {n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            (function,) = ast.parse(f"def {LOOP}():\n global {', '.join(sorted(made))}\n {PAIRS} = []").body
            function.body.append(WithoutData().visit(loop))
            tree.body.append(ast.copy_location(function, loop))
            steps[LOOP] = weights
    return steps


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


def names_made(tree, word=""):
    """The names that the top level assigns; with a word, those whose assigned expression holds it."""
    made = [node for node in tree.body if isinstance(node, ast.Assign) and word in ast.unparse(node.value)]
    return {n.id for node in made for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def ends_after_updates(holder, tree):
    """The weights that a loop in it updates, or None: it then returns every output and target that it compared."""
    for loop in [node for node in ast.walk(holder) if isinstance(node, ast.For | ast.While)]:
        steps = [node for node in loop.body if isinstance(getattr(node, "op", None), ast.Add | ast.Sub)]
        updated = {ast.unparse(node.target) for node in steps} & names_made(tree)
        if len(updated & names_made(tree, "rand")) > 1:
            compared = WithPairs()
            compared.generic_visit(loop)
            end = ast.parse(END).body[0].body if compared.is_found else []
            loop.body += [ast.copy_location(line, loop) for line in end]
            return sorted(updated) if compared.is_found else None
    return None


def is_zero(value):
    """Whether a value is 0, or is made of zeros."""
    return getattr(value, "value", None) == 0 or "zeros" in ast.dump(value)


class WithPairs(ast.NodeTransformer):
    """Keeps both sides of each difference of a target and an output."""

    is_found = False

    def visit_Assign(self, node):
        sides = [node.value.left, node.value.right] if isinstance(getattr(node.value, "op", None), ast.Sub) else []
        sides = sorted(map(ast.unparse, sides), key=lambda text: not TARGET.fullmatch(text))
        if not sides or not TARGET.fullmatch(sides[0]) or not sides[1].isidentifier():
            return node
        self.is_found = True
        return [node, *[ast.copy_location(line, node) for line in ast.parse(KEEP.format(*sides)).body]]


class WithoutData(ast.NodeTransformer):
    """Leaves out where a loop takes its inputs and targets from the data: the check gives them."""

    def visit_Assign(self, node):
        made = {getattr(n, "id", "") for target in node.targets for n in getattr(target, "elts", [target])}
        return ast.copy_location(ast.Pass(), node) if made <= {"inputs", "targets"} else node
