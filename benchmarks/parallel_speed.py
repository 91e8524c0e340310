"""Training on two cores by processes, threads and PyTorch; a step's time by N; how fast gradients are added up.

    python benchmarks/parallel_speed.py [--rounds K] [--link]

writes results/parallel_speed.json; parallel_model.py prints, fits and draws it. An LSTM of 2×200 and of 1×650,
V = 10,000, T = 35, N = 20: gradients, clipping, SGD. Every turn is a process of its own, or two that mpiexec starts,
and the ways take turns. A turn's time is that of its fastest call, and a way's is its best turn: other work on the
machine can only make it slower. The processor's time is kept beside it, which other work hardly changes. --link, as
root on Linux, also measures between two network namespaces with 1 Gbit/s between them, as between two machines.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np

import numpylm as nlm
from numpylm.base.data_parallel import weighted_sum
from numpylm.base.memory import keep_freed_memory
from numpylm.base.ranks import part_of
from numpylm.bench import in_numpylm
from numpylm.bench.measurements import implementation
from numpylm.bench.processes import environment
from numpylm.commands import mpi
from numpylm.training import update

RESULT = Path(__file__).parent / "results" / "parallel_speed.json"
MODELS = {"2×200": (2, 200), "1×650": (1, 650)}  # layers, D = H
V, T, N, RATE = 10_000, 35, 20, 1e-6
SIZES = (1, 5, 10, 40, 80)  # of a batch, beside N, in one process
COUNTS = (2, 10_000, 300_000, 4_651_602, 16_395_402)  # of numbers that are added up
SECONDS = 2.0  # that a turn lasts, at least
WAYS = {  # name -> processes, BLAS threads, function, sequences in a batch
    "one process": (1, 1, "ours", N),
    "two processes": (2, 1, "ours", N),
    "two BLAS threads": (1, 2, "ours", N),
    "two Python threads": (1, 1, "halves", N),
    "PyTorch": (1, 1, "in_torch", N),
    "PyTorch, two threads": (1, 2, "in_torch", N),
    "two processes, 2 N": (2, 1, "ours", 2 * N),
    **{f"one process, N = {size}": (1, 1, "ours", size) for size in SIZES},
}
LINK = """ip netns add nlm0; ip netns add nlm1; ip link add nlmv0 netns nlm0 type veth peer name nlmv1 netns nlm1
for k in 0 1; do on="ip netns exec nlm$k"; $on ip addr add 10.77.0.$((k + 1))/24 dev nlmv$k; $on ip link set lo up
$on ip link set nlmv$k up; $on tc qdisc add dev nlmv$k root tbf rate 1gbit burst 256kb latency 50ms; done"""
UNLINK = "ip netns del nlm0; ip netns del nlm1"
OVER_LINK = {"MPIR_CVAR_NOLOCAL": "1", "MPIR_CVAR_CH4_NETMOD": "ofi", "FI_PROVIDER": "tcp"}


def ours(model, batch, ranks):
    """A step of numpylm: of a rank's share of the sequences."""
    part = part_of(batch.shape[2], ranks.rank, ranks.size)
    inputs, targets = (np.ascontiguousarray(tokens[:, part]) for tokens in batch)
    optimizer = nlm.SGD(RATE)

    def step():
        out = model.loss_and_gradients(inputs, targets)
        out = out if ranks.size == 1 else weighted_sum(ranks, out, 1 / ranks.size)
        update(model, optimizer, out, in_numpylm.MAX_NORM)

    return step


def halves(model, batch, ranks):
    """The same in one process: two threads of Python, each with half of the sequences."""
    optimizer, threads = nlm.SGD(RATE), ThreadPoolExecutor(2)
    inputs, targets = (np.split(tokens, 2, axis=1) for tokens in batch)

    def step():
        one, other = threads.map(model.loss_and_gradients, inputs, targets)
        for name, gradient in one.gradients.items():
            gradient += other.gradients[name]
            gradient *= 0.5
        update(model, optimizer, one, in_numpylm.MAX_NORM)

    return step


def in_torch(model, batch, ranks):
    """The same in PyTorch."""
    return implementation("torch").train(model, batch, RATE)


def turn(ranks, way, model):
    """A step of a way."""
    _, _, function, batch_size = WAYS[way]
    layers, size = MODELS[model]
    batch = np.random.default_rng(0).integers(V, size=(2, T, batch_size))  # inputs and targets
    return globals()[function](nlm.LSTMLM(V, size, size, layers), batch, ranks)


def total(ranks, count):
    """Adding up so many numbers of all processes."""
    values = np.zeros(int(count), np.float32)
    return lambda: ranks.total(values)


def print_best_time(function, ranks):
    """Print the seconds of the fastest call of a turn, by the wall clock and by the processor's."""
    calls, started = [], ranks.clock()
    while len(calls) < 5 or ranks.clock() - started < SECONDS:
        begun, used = time.perf_counter(), time.process_time()
        function()
        calls.append((time.perf_counter() - begun, time.process_time() - used))
    print(json.dumps([min(seconds) for seconds in zip(*calls, strict=True)]) if ranks.rank == 0 else "", end="")


def child(name, *arguments, processes=1, threads=1, link=False):
    """The best times of turn or total in a process, or in several."""
    command = [sys.executable, __file__, "--child", name, *map(str, arguments)]
    if link:
        one, other = (["-n", "1", "ip", "netns", "exec", f"nlm{k}", *command] for k in range(2))
        command = ["mpiexec", *one, ":", *other]
    elif processes > 1:
        command = ["mpiexec", "-n", str(processes), *command]
    env = environment(threads, None) | (OVER_LINK if link else {})
    return json.loads(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(rounds, link):
    """Let all take turns, and write the file after each round."""
    steps = {model: {way: [] for way in WAYS} for model in MODELS}
    totals = {name: {count: [] for count in COUNTS} for name in ("shared memory", "1 Gbit/s")[: 1 + link]}
    found = {"load": [], "steps": steps, "totals": totals}
    for _ in range(rounds):
        for (model, ways), (way, (processes, threads, *_)) in product(steps.items(), WAYS.items()):
            ways[way].append(child("turn", way, model, processes=processes, threads=threads))
        for (name, counts), count in product(totals.items(), COUNTS):
            counts[count].append(child("total", count, processes=2, link=name != "shared memory"))
        found["load"].append(os.getloadavg()[0])
        RESULT.write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    """Measure, or take one turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="K")
    parser.add_argument("--link", action="store_true")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        keep_freed_memory()
        name, *arguments = options.child
        return print_best_time(globals()[name](mpi.ranks(), *arguments), mpi.ranks())
    subprocess.run(["sh", "-c", LINK if options.link else ""], check=True)
    measure(options.rounds, options.link)
    subprocess.run(["sh", "-c", UNLINK if options.link else ""], check=True)


if __name__ == "__main__":
    main()
