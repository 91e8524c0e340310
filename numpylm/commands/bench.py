"""numpylm bench: speed and memory beside the GEMM floor, PyTorch and JAX."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

from numpylm import require
from numpylm.bench import plot, report, results, scaling
from numpylm.bench import run as measuring
from numpylm.bench.clock import CLOCKS
from numpylm.bench.processes import Worker
from numpylm.bench.shapes import GATES, SHAPES, parse_shape

DESCRIPTION = (
    "Time training steps, sampling and evaluation beside the matrix products that a\n"
    "step cannot avoid and, where they are installed, PyTorch and JAX: all in turn, in\n"
    "a process with one BLAS thread. About five minutes; one with --quick."
)
PICTURES = (".png", ".svg", ".pdf")
QUICK = {"rounds": 2, "seconds": 0.2}


def add_options(parser):
    """The command's options."""
    parser.add_argument(
        "--shapes", nargs="+", default=list(SHAPES), metavar="S", help="A to E, or sizes T,N,D,H,V (A B C D E)"
    )
    parser.add_argument(
        "--cells", nargs="+", default=list(GATES), choices=tuple(GATES), metavar="CELL", help="(lstm rnn gru)"
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="K", help="for each number, at least (7)")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="for each number, at least (5)")
    parser.add_argument("--quick", action="store_true", help="two rounds or a fifth of a second: a first impression")
    parser.add_argument(
        "--clock", choices=tuple(CLOCKS), default="wall", metavar="CLOCK",
        help="wall, or processor, for a machine that is busy with other work (wall)",
    )  # fmt: skip
    parser.add_argument("--kernel", metavar="NAME", help="OpenBLAS's kernel, such as Haswell (what it picks itself)")
    parser.add_argument("--json", metavar="FILE", help="write all numbers, of every round, into FILE")
    parser.add_argument("--plot", metavar="FILE", help="draw the training steps, or --scaling, into FILE")
    parser.add_argument("--scaling", action="store_true", help="only how a training step grows with T and with N")


def run(options):
    """Measures, prints and writes; the exit status is 1 where somebody's results disagree."""
    shapes = [parse_shape(text) for text in options.shapes]
    require.positive_integer("rounds", options.rounds)
    require.positive_number("seconds", options.seconds)
    check_files(options.json, options.plot)
    effort = measuring.Effort(options.rounds, options.seconds, options.clock)
    effort = effort._replace(**QUICK) if options.quick else effort
    found = {"threads": options.threads, **effort._asdict()}
    with Worker(options.threads, options.kernel) as worker:
        found["about"] = worker.ask("about")
        check_kernel(found["about"], options.kernel)
        print(report.heading(found["about"], options.threads), end="\n\n", flush=True)
        if options.scaling:
            found["scaling"] = scaling.measure(worker, effort)
        else:
            measuring.measure_speed(worker, found, options.cells, shapes, effort)
    if not options.scaling:
        measuring.measure_memory(found, options, shapes)
        print(report.goals_table(found))
    write(found, options)
    return finish(found)


def check_files(json_path, picture):
    """Raises an error, before anything is measured, where a file could not be written in the end."""
    for path in filter(None, (json_path, picture)):
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(f"there is no folder for {path}")
    if picture and find_spec("matplotlib") is None:
        raise ValueError("--plot needs matplotlib, which is not installed")
    if picture and Path(picture).suffix not in PICTURES:
        raise ValueError(f"a picture's name ends in {', '.join(PICTURES)}; got {picture}")


def check_kernel(about, kernel):
    """Raises ValueError where a kernel was asked for and not taken."""
    taken = about["blas"]["kernel"]
    if kernel and (taken is None or taken.lower() != kernel.lower()):
        raise ValueError(f"--kernel {kernel}: this BLAS, {about['blas']['name']}, took {taken or 'none that it names'}")


def write(found, options):
    """The JSON file and the picture, where they are asked for."""
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        draw = plot.draw_scaling if options.scaling else plot.draw_training
        draw(options.plot, found)


def finish(found):
    """Says what makes the numbers doubtful; returns the exit status."""
    for line in report.complaints(found):
        print(line, file=sys.stderr)
    return 1 if any(results.disagreements(found)) else 0
