"""Speed, measured: the same as python -m numpylm bench, with the same options (--help lists them).

    python benchmarks/speed.py                                        the kernel that BLAS picks; five minutes
    python benchmarks/speed.py --kernel Haswell                       another of OpenBLAS's kernels
    python benchmarks/speed.py --clock processor                      on a machine that is busy with other work
    python benchmarks/speed.py --scaling --plot figures/scaling.png   growth with T and N
    python benchmarks/speed.py --json speed.json --plot speed.png     every round's seconds, and a bar chart

How it is measured. The command starts a process in whose environment BLAS, PyTorch and JAX have one thread each, before
NumPy is imported. There, for each cell and shape, the GEMM floor (numpylm/bench/floor.py says what is in it), numpylm,
and PyTorch and JAX where they are installed take turns, round by round; times are medians, ratios the medians of the
rounds' ratios. Before the clock starts, each has done a step whose loss and new weights are compared with the same
step in float64: who computes something else is left out, and the exit status is 1. Peak memory is that of a
process of its own, which imports one implementation alone.
"""

import sys

from numpylm.commands.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", *sys.argv[1:]]))
