"""numpylm bench: training steps beside the GEMM floor and PyTorch, interleaved, in a process with one BLAS thread."""

import json
from statistics import geometric_mean, median

from numpylm.commands.bench_clock import ratio
from numpylm.commands.bench_shapes import SHAPES, pairs, parse_shape
from numpylm.commands.blas_environment import blas_environment, start_module


def add_arguments(parser):
    """The command's options."""
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), metavar="S", help="A to E, or T,N,D,H,V (all)")
    parser.add_argument("--cells", nargs="+", default=["lstm", "rnn", "gru"], choices=("rnn", "lstm", "gru"))
    parser.add_argument("--rounds", type=int, default=7, metavar="K", help="of each measurement, at least (7)")
    parser.add_argument("--seconds", type=float, default=5, metavar="S", help="of each measurement, at least (5)")
    parser.add_argument("--kernel", metavar="NAME", help="OpenBLAS's kernel, such as SkylakeX (what it picks)")


def main(options):
    """Measures and prints."""
    shapes = [parse_shape(text) for text in options.shapes]
    request = {
        "pairs": [[c, *s] for c, s in pairs(options.cells, shapes)],
        "rounds": options.rounds,
        "seconds": options.seconds,
    }
    print(f"{'':8}{'floor ms':>12}{'numpylm ms':>12}{'torch ms':>12}{'x floor':>10}{'x torch':>10}")
    by_torch = []
    with start_module("numpylm.commands.bench_worker", blas_environment(options.threads, options.kernel)) as worker:
        json.dump(request, worker.stdin)
        worker.stdin.close()
        for line in worker.stdout:
            row = json.loads(line)
            times = row["times"]
            ms = "".join(
                f"{1e3 * median(times[n]):12.2f}" if n in times else f"{'-':>12}" for n in ("floor", "numpylm", "torch")
            )
            x_floor = ratio(times["numpylm"], times["floor"])
            x_torch = ratio(times["numpylm"], times["torch"]) if "torch" in times else float("nan")
            print(f"{row['cell']:5}{row['shape']:3}{ms}{x_floor:10.2f}{x_torch:10.2f}", flush=True)
            if row["cell"] != "gru":
                by_torch.append(x_torch)
    if by_torch:
        print(f"geometric mean x torch, LSTM and RNN: {geometric_mean(by_torch):.3f}")
