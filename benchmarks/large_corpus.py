"""Measures preparing and training on a large text that is made for the purpose: speed, memory, cost per token. Linux.

    python benchmarks/large_corpus.py [--megabytes 1000] [--results benchmarks/results/large_corpus.json]

The text has a Zipf-Mandelbrot vocabulary: the word of rank r = 0 .. 1,999,999 has probability in proportion to
1 / (r + 2.7)^1.1, 15 words a line. So a quarter of the words is outside the most frequent 10,000, a heavier tail than
newspaper text has (of the Penn Treebank's words, one in twenty). Words are made of syllables, the frequent ones short,
5 or 6 bytes with their space as in English, some with letters of two bytes in UTF-8. Each step is a process of its own
with one BLAS thread:

    prepare   by characters, and by words with the most frequent 10,000: MB of text per second, of wall-clock time and
              of processor time (on a busy machine the second says more about numpylm)
    train     for so many seconds, then the report with its test perplexity and baselines: tokens per second, on the
              whole text and on its first MB, in turns, medians of the rounds

Memory is the largest RssAnon that Linux shows for the process, looked at 50 times a second: what the process needs for
itself. Pages of a mapped file are not in it: they belong to the system, which takes them back when it needs the room.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from numpylm.bench.system import cpuinfo

ROOT = Path(__file__).resolve().parent.parent
NUM_WORDS = 2_000_000
SYLLABLES = [c + v for c in "tnsrld" for v in "aeiou"] + ["é", "ü", "ж"]
WORDS_PER_LINE, WORDS_PER_BLOCK = 15, 1_500_000
SHARES = ("0.998", "0.001", "0.001")
SMALL_SHARES = ("0.8", "0.1", "0.1")
ENVIRONMENT = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def main():
    """Measures, prints, and writes the results."""
    options = parsed()
    with tempfile.TemporaryDirectory(prefix="numpylm-large-", dir=options.folder) as folder:
        folder = Path(folder)
        for name, size in (("large.txt", options.megabytes * 1_000_000), ("small.txt", 1_000_000)):
            write_text(folder / name, size)
        results = {
            "machine": f"{cpuinfo('model name') or platform.machine()}, {os.cpu_count()} cores",
            "versions": f"Python {platform.python_version()}, NumPy {np.__version__}",
            "command": f"python benchmarks/large_corpus.py --megabytes {options.megabytes} --rounds {options.rounds} "
            f"--seconds {options.seconds:g}",
            "megabytes": (folder / "large.txt").stat().st_size / 1e6,
        }
        for level in ("char", "word"):
            results[level] = measure(folder, level, options)
            print(json.dumps({level: results[level]}, indent=2), flush=True)
    if options.results:
        Path(options.results).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def parsed():
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1000, help="of the large text (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="of training on both texts in turns (3)")
    parser.add_argument("--seconds", type=float, default=20, help="that each training lasts (20)")
    parser.add_argument("--folder", help="where the texts are kept for the time being (the system's)")
    parser.add_argument("--results", help="a JSON file for the results")
    return parser.parse_args()


def write_text(path, size):
    """A text of about so many bytes, the same at every call."""
    rng = np.random.default_rng(0)
    words = np.array([spelled(rank) for rank in range(NUM_WORDS)], object)
    cumulative = np.cumsum(1 / (np.arange(NUM_WORDS) + 2.7) ** 1.1)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        while file.tell() < size:
            num_words = min(WORDS_PER_BLOCK, (size - file.tell()) // 6 + WORDS_PER_LINE)
            drawn = words[np.searchsorted(cumulative, cumulative[-1] * rng.random(num_words))].tolist()
            starts = range(0, num_words, WORDS_PER_LINE)
            file.writelines(" ".join(drawn[start : start + WORDS_PER_LINE]) + "\n" for start in starts)


def spelled(rank):
    """A word of one to five syllables: the rank in bijective numeration."""
    syllables, number = [], rank + 1
    while number > 0:
        number, digit = divmod(number - 1, len(SYLLABLES))
        syllables.append(SYLLABLES[digit])
    return "".join(syllables)


def measure(folder, level, options):
    """The measurements by characters or by words."""
    limit = ("--max-vocabulary", "10000") if level == "word" else ()
    large, small = folder / f"large-{level}.tokens", folder / f"small-{level}.tokens"
    prepared = run("prepare", folder / "large.txt", "--level", level, *limit, "--split", *SHARES, "--out", large)
    run("prepare", folder / "small.txt", "--level", level, *limit, "--split", *SMALL_SHARES, "--out", small)
    trained = {large: [], small: []}
    for number in range(options.rounds):
        for corpus, found in trained.items():
            found.append(train(corpus, folder / f"run-{corpus.stem}-{number}", options.seconds))
    megabytes = (folder / "large.txt").stat().st_size / 1e6
    speeds = {corpus: [run["tokens_per_second"] for run in found] for corpus, found in trained.items()}
    speed, small_speed = (statistics.median(found) for found in speeds.values())
    return {
        "prepare_seconds": prepared["seconds"],
        "prepare_mb_per_second": round(megabytes / prepared["seconds"], 1),
        "prepare_mb_per_processor_second": round(megabytes / prepared["processor_seconds"], 1),
        "prepare_peak_rss_anon_mib": prepared["peak_mib"],
        "token_file_mb": round(large.stat().st_size / 1e6, 1),
        "train_peak_rss_anon_mib": max(run["peak_mib"] for run in trained[large]),
        "train_tokens_per_second": speed,
        "train_tokens_per_second_of_1_mb": small_speed,
        "ratio": round(speed / small_speed, 3),
        "all_tokens_per_second": speeds[large],
        "all_tokens_per_second_of_1_mb": speeds[small],
        "train_seconds_with_check_and_report": [run["seconds"] for run in trained[large]],
        "baselines": trained[large][0]["baselines"],
    }


def train(corpus, out, seconds):
    """Trains for so many seconds: what `run` returns, and the run's summary."""
    minutes = ("--minutes", str(seconds / 60), "--epochs", "1000000")
    measured = run("train", "--corpus", corpus, *minutes, "--out", out)
    return json.loads((out / "summary.json").read_text(encoding="utf-8")) | measured


def run(*arguments):
    """Runs a command of numpylm: seconds, processor seconds, and the largest RssAnon in MiB."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "numpylm", *map(str, arguments)],
            env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
        peak, ended = 0, 0
        while not ended:
            time.sleep(0.02)
            peak = max(peak, anonymous_kib(process.pid))
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode != 0:
            output.seek(0)
            raise SystemExit(f"numpylm {arguments[0]} failed:\n{output.read().decode('utf-8', 'replace')}")
    return {
        "seconds": round(seconds, 2),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": round(peak / 2**10, 1),
    }


def anonymous_kib(pid):
    """The process's anonymous resident memory; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")), 0)


if __name__ == "__main__":
    main()
