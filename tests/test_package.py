import subprocess
import sys

import numpylm


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()


def test_public_names_exist():
    assert all(hasattr(numpylm, name) for name in numpylm.__all__)
    assert sorted(numpylm.__all__) == sorted(set(numpylm.__all__))


def test_importing_needs_numpy_alone():
    """No module is loaded but NumPy's (its compiled ones register a helper of Cython's) and the standard library's."""
    code = (
        "import sys, numpy; before = set(sys.modules)\n"
        "import numpylm\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before if 'cython' not in name}\n"
        "print(*sorted(new - set(sys.stdlib_module_names) - {'numpy', 'numpylm'}))"
    )
    assert run_python(code) == []
