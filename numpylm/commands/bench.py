"""numpylm bench: time and memory beside the matrix products, PyTorch and JAX."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path

from numpylm import plots
from numpylm.base import require
from numpylm.bench import report, system
from numpylm.bench.clock import CLOCKS
from numpylm.bench.measurements import MEASUREMENTS, SCALING, measure
from numpylm.bench.processes import answers, memory
from numpylm.bench.shapes import GATES, SHAPES, named, parse_shape
from numpylm.commands.run_folder import write_json

DESCRIPTION = (
    "Time training steps, sampling and evaluation beside the matrix products that a\n"
    "step cannot avoid and, where they are installed, PyTorch and JAX: all in turn, in\n"
    "a process with one BLAS thread. About five minutes; one with --quick."
)
PICTURES = (".png", ".svg", ".pdf")
QUICK = {"rounds": 2, "seconds": 0.2}


def add_options(parser):
    add = parser.add_argument
    add("--shapes", nargs="+", default=list(SHAPES), metavar="S", help="A to E, or sizes T,N,D,H,V (A B C D E)")
    add("--cells", nargs="+", default=list(GATES), choices=tuple(GATES), metavar="CELL", help="(lstm rnn gru)")
    add("--rounds", type=int, default=7, metavar="K", help="for each number, at least (7)")
    add("--seconds", type=float, default=5.0, metavar="S", help="for each number, at least (5)")
    add("--quick", action="store_true", help="two rounds or a fifth of a second: a first impression")
    add("--clock", choices=tuple(CLOCKS), default="wall", metavar="CLOCK",
        help="wall, or processor if the machine is busy with other work (wall)")  # fmt: skip
    add("--kernel", metavar="NAME", help="the OpenBLAS kernel, such as Haswell (OpenBLAS's own choice)")
    add("--json", metavar="FILE", help="write all numbers, of every round, into FILE")
    add("--plot", metavar="FILE", help="draw what --scaling measures into FILE")
    add("--scaling", action="store_true", help="only measure how a training step grows with T and with N")


def run(options):
    shapes = [parse_shape(text) for text in options.shapes]
    require.positive_integer("rounds", options.rounds)
    require.positive_number("seconds", options.seconds)
    if options.plot and not options.scaling:
        raise ValueError("--plot draws what --scaling measures: add --scaling")
    check_files(options.json, options.plot)
    effort = QUICK if options.quick else {"rounds": options.rounds, "seconds": options.seconds}
    effort = {**effort, "clock": options.clock}
    (about,) = answers([system.about], options.threads, options.kernel)
    check_kernel(about, options.kernel)
    print(report.about_text(about, options.threads), end="\n\n", flush=True)
    found = {"threads": options.threads, **effort, "about": about}
    if options.scaling:
        found["scaling"] = list(rows_of("scaling", SCALING, options, shapes, effort))
        print(report.scaling_table(found["scaling"][0]))
    else:
        for name, measurement in MEASUREMENTS.items():
            found[name] = print_table(measurement, rows_of(name, measurement, options, shapes, effort))
        found["memory"] = measure_memory(about, options, shapes)
    if options.json:
        write_json(options.json, found)
    if options.plot:
        from matplotlib import rc_context

        with rc_context(plots.STYLE):
            plots.save(report.scaling_figure(found["scaling"][0]), options.plot)


def rows_of(name, measurement, options, shapes, effort):
    """Yields the rows of one measurement, each as soon as it is known."""
    cases = measurement.cases(options.cells, shapes)
    calls = [partial(measure, name, cell, shape, effort) for cell, shape in cases]
    for (cell, shape), answer in zip(cases, answers(calls, options.threads, options.kernel), strict=True):
        yield {"cell": cell, "shape": list(shape), **answer}


def print_table(measurement, rows):
    """Prints the rows of one measurement as they come, and returns them; nothing where there are none."""
    shown = []
    for row in rows:
        if not shown:
            print(report.heading(measurement, row["seconds"]))
        print(report.line(measurement, row), flush=True)
        shown.append(row)
    if shown:
        print(report.footer(shown), end="\n\n", flush=True)
    return shown


def measure_memory(about, options, shapes):
    """The peak memory of one process for each implementation: the first cell, at C."""
    cell, shape, rows = options.cells[0], named(shapes, "C"), []
    for name in ("numpylm", *about["others"]):
        (answer,) = answers([partial(memory, name, cell, shape)], options.threads, options.kernel)
        rows.append({"name": name, "cell": cell, "shape": list(shape), **answer})
    print(report.memory_table(rows), flush=True)
    return rows


def check_files(json_path, picture):
    """Raise an error before anything is measured, if a file could not be written in the end."""
    for path in filter(None, (json_path, picture)):
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(f"there is no folder for {path}")
        if Path(path).exists() and not Path(path).is_file():
            raise ValueError(f"{path} is a folder, a device or a pipe, where a file belongs")
    if picture and find_spec("matplotlib") is None:
        raise ValueError("--plot needs matplotlib, which is not installed")
    if picture and Path(picture).suffix not in PICTURES:
        raise ValueError(f"a picture's name ends in {', '.join(PICTURES)}; got {picture}")


def check_kernel(about, kernel):
    """Raise ValueError if BLAS did not take the kernel."""
    taken = about["blas"]["kernel"]
    if kernel and (taken is None or taken.lower() != kernel.lower()):
        raise ValueError(f"--kernel {kernel}: this BLAS, {about['blas']['name']}, took {taken or 'an unknown one'}")
