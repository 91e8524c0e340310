"""Measures preparing and training on a large text that is made for the purpose: speed and memory. Linux.

    python benchmarks/large_corpus.py [--megabytes 1000] [--results benchmarks/results/large_corpus.json]

The text has a Zipf-Mandelbrot vocabulary: the word of rank r = 0 .. 1,999,999 has probability in proportion to
1 / (r + 2.7)^1.1, 15 words a line. So a quarter of the words is outside the most frequent 10,000, a heavier tail than
newspaper text has (of the Penn Treebank's words, one in twenty). Words are made of syllables, the frequent ones short,
5 or 6 bytes with their space as in English, some with letters of two bytes in UTF-8. Each step is a process of its own
with one BLAS thread:

    prepare   by characters, and by words with the most frequent 10,000: MB of text per second of the processor
    train     for so many seconds, then the report with its test perplexity and baselines: tokens per second, on the
              whole text and on its first MB, in turns. The best round counts: other work can only make one slower

Memory is the largest RssAnon that Linux shows for the process, looked at 50 times a second: what the process needs for
itself. Pages of a mapped file are not in it: they belong to the system, which takes them back when it needs the room.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import chain, count, islice, product
from pathlib import Path

import numpy as np

from numpylm.bench.processes import environment
from numpylm.bench.system import about

ROOT = Path(__file__).resolve().parent.parent
NUM_WORDS, WORDS_PER_LINE, WORDS_PER_BLOCK = 2_000_000, 15, 1_500_000
SYLLABLES = [c + v for c in "tnsrld" for v in "aeiou"] + ["é", "ü", "ж"]
SHARES = {"large": ("0.998", "0.001", "0.001"), "small": ("0.8", "0.1", "0.1")}
LEVELS = {"char": (), "word": ("--max-vocabulary", "10000")}


def main():
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1000, help="of the large text (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="of training on both texts in turns (3)")
    parser.add_argument("--seconds", type=float, default=15, help="that each training lasts (15)")
    parser.add_argument("--folder", help="where the texts are kept for the time being (the system's)")
    parser.add_argument("--results", type=Path, help="a JSON file for the results")
    options = parser.parse_args()
    results = {
        "about": about(),
        "command": f"python benchmarks/large_corpus.py --megabytes {options.megabytes} --rounds {options.rounds} "
        f"--seconds {options.seconds:g}",
    }
    with tempfile.TemporaryDirectory(prefix="numpylm-large-", dir=options.folder) as folder:
        for name, size in (("large", options.megabytes * 1_000_000), ("small", 1_000_000)):
            write_text(Path(folder, f"{name}.txt"), size)
        for level in LEVELS:
            results[level] = measure(Path(folder), level, options)
            print(json.dumps({level: results[level]}, indent=2), flush=True)
    if options.results:
        options.results.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def write_text(path, size):
    """A text of about so many bytes, the same at every call."""
    rng = np.random.default_rng(0)
    words = np.array(spelled(), object)
    cumulative = np.cumsum(1 / (np.arange(NUM_WORDS) + 2.7) ** 1.1)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        while file.tell() < size:
            num_words = min(WORDS_PER_BLOCK, (size - file.tell()) // 6 + WORDS_PER_LINE)
            drawn = words[np.searchsorted(cumulative, cumulative[-1] * rng.random(num_words))].tolist()
            starts = range(0, num_words, WORDS_PER_LINE)
            file.writelines(" ".join(drawn[start : start + WORDS_PER_LINE]) + "\n" for start in starts)


def spelled():
    """All words, the most frequent first: those of one syllable, then those of two, up to five."""
    words = chain.from_iterable(product(SYLLABLES, repeat=length) for length in count(1))
    return ["".join(reversed(word)) for word in islice(words, NUM_WORDS)]


def measure(folder, level, options):
    """The measurements by characters or by words."""
    prepared, peaks, speeds = {}, {"large": [], "small": []}, {"large": [], "small": []}
    for name, shares in SHARES.items():
        out = ("--level", level, *LEVELS[level], "--split", *shares, "--out", folder / f"{name}-{level}.tokens")
        prepared[name] = run("prepare", folder / f"{name}.txt", *out)
    for number, name in product(range(options.rounds), SHARES):
        out = folder / f"{name}-{level}-{number}"
        minutes = ("--minutes", options.seconds / 60, "--epochs", "1000000")
        _, peak = run("train", "--corpus", folder / f"{name}-{level}.tokens", *minutes, "--out", out)
        peaks[name].append(peak)
        speeds[name].append(json.loads((out / "summary.json").read_text(encoding="utf-8"))["tokens_per_second"])
    seconds, peak = prepared["large"]
    return {
        "prepare_mb_per_processor_second": round((folder / "large.txt").stat().st_size / 1e6 / seconds, 1),
        "prepare_peak_rss_anon_mib": peak,
        "token_file_mb": round((folder / f"large-{level}.tokens").stat().st_size / 1e6, 1),
        "train_peak_rss_anon_mib": max(peaks["large"]),
        "train_tokens_per_second": speeds,
        "ratio": round(max(speeds["large"]) / max(speeds["small"]), 3),
    }


def run(*arguments):
    """Run a command of numpylm: processor seconds, and the largest RssAnon in MiB."""
    command = [sys.executable, "-m", "numpylm", *map(str, arguments)]
    with tempfile.TemporaryFile() as output:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        process = subprocess.Popen(command, env=environment(1, None), cwd=ROOT, **pipes)
        peak = 0
        ended = 0
        while not ended:
            time.sleep(0.02)
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
            peak = max([peak, *(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))])
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            raise SystemExit(f"numpylm {arguments[0]} failed:\n{output.read().decode('utf-8', 'replace')}")
    return usage.ru_utime + usage.ru_stime, round(peak / 2**10, 1)


if __name__ == "__main__":
    main()
