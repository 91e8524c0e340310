"""The package as a whole: its public names, what an import loads, its layers, and its modules' old names."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import numpylm

PACKAGE = Path(numpylm.__file__).parent
# Each layer may import itself and those before it.
LAYERS = [
    "base",
    "activations affine embedding projection recurrence rnn lstm gru masking dropout loss "
    "initialization parameters model clipping optimizers schedules torch_bridge attention bidirectional stack "
    "translation ctc transcription memory_network reader",
    "data",
    "kinds training evaluation generation checkpoint plots beam_search ctc_decoding",
    "proof",
    "tutor",
    "stepping figures bench notebook testing probing",
    "commands __main__",
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names.split()}


def modules():
    """Module name -> its file, for all of the package but numpylm itself, which imports names from every layer."""
    files = {path.relative_to(PACKAGE.parent).with_suffix(""): path for path in PACKAGE.rglob("*.py")}
    names = {".".join(path.parts).removesuffix(".__init__"): file for path, file in files.items()}
    return {name: file for name, file in names.items() if name != "numpylm"}


def imported(file, known):
    """The package's modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names} & known.keys()
            yield from parts or ({node.module} & known.keys())


def level(module):
    return LEVEL[module.split(".")[1]]


def test_nothing_imports_upwards_and_there_are_no_circles():
    known = modules()
    graph = {name: set(imported(file, known)) - {name} for name, file in known.items()}
    upwards = [f"{name} imports {other}" for name in graph for other in graph[name] if level(other) > level(name)]
    assert upwards == []
    list(TopologicalSorter(graph).static_order())  # raises CycleError where modules import each other


def loaded_by(statement):
    code = f"import sys, numpy; before = set(sys.modules)\n{statement}\nprint(*(set(sys.modules) - before))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_needs_numpy_alone():
    """No module is loaded but NumPy's (its compiled ones register a helper of Cython's) and the standard library's."""
    loaded = {name.split(".")[0] for name in loaded_by("import numpylm") if "cython" not in name}
    assert loaded - set(sys.stdlib_module_names) - {"numpy", "numpylm"} == set()


def test_the_mathematics_loads_no_file_mapping():
    assert "mmap" not in loaded_by("import numpylm.lstm")


def test_public_names_exist():
    assert all(hasattr(numpylm, name) for name in numpylm.__all__)
    assert sorted(numpylm.__all__) == sorted(set(numpylm.__all__))
    assert set(numpylm.__all__) <= set(dir(numpylm))
    with pytest.raises(AttributeError, match="module 'numpylm' has no attribute 'nothing'"):
        numpylm.nothing  # noqa: B018


@pytest.mark.parametrize(("old", "place"), numpylm.MOVED.items())
def test_a_moved_module_says_where_it_is(old, place):
    with pytest.raises(ModuleNotFoundError, match=f"numpylm.{old} is now numpylm.{place}"):
        import_module(f"numpylm.{old}")
    assert getattr(numpylm, old) is import_module(f"numpylm.{place}")
