"""A run of the benchmark with made-up seconds, as numpylm bench holds it and writes it as JSON."""

from numpylm.bench.shapes import GATES, SHAPES, pairs

ABOUT = {
    "numpylm": "0.1.0",
    "python": "3.11.7",
    "numpy": "2.4.6",
    "system": "Linux 6.1, x86_64",
    "processor": "A processor",
    "cores": 2,
    "coretype": None,
    "blas": {"name": "openblas", "version": "0.3.30", "kernel": "SkylakeX", "threads": 1},
    "others": {"torch": "2.13.0", "jax": "0.10.2"},
}


def row(cell, shape, names=("floor", "numpylm", "torch", "jax"), seconds=(1.0, 1.2, 2.0, 1.25)):
    """A row in which each has the seconds given, thousandths of them, in three rounds of different speed."""
    times = {name: [1e-3 * one * slow for slow in (1.0, 5.0, 1.0)] for name, one in zip(names, seconds, strict=True)}
    others = {name: None for name in names if name != "floor"}
    return {
        "cell": cell,
        "shape": list(shape),
        "seconds": times,
        "cores": dict.fromkeys(times, 1.0),
        "disagreement": others,
    }


def example_run():
    """All tables of a run in which numpylm takes 1.2 times the floor, 0.6 times PyTorch, and JAX is a tie."""
    rivals = {"names": ("numpylm", "torch", "jax"), "seconds": (1.0, 2.5, 0.5)}
    return {
        "threads": 1,
        "rounds": 3,
        "seconds": 1.0,
        "clock": "wall",
        "about": ABOUT,
        "training": [row(cell, shape) for cell, shape in pairs(GATES, SHAPES.values())],
        "sampling": [row(cell, SHAPES["B"], rivals["names"], (k, 2.5, 0.5)) for k, cell in enumerate(GATES, 1)],
        "evaluation": [row(cell, SHAPES["B"], **rivals) for cell in GATES],
        "memory": [
            {"name": name, "cell": "lstm", "shape": list(SHAPES["C"]), "mib": mib}
            for name, mib in (("numpylm", 110.0), ("torch", 500.0), ("jax", None))
        ],
    }
