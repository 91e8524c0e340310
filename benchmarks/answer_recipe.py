"""All bAbI tasks: a memory network and a recurrent reader, trained on each task alone, beside the published numbers.

    python benchmarks/answer_recipe.py babi/en --model memory --seeds 5 --json benchmarks/results/babi-memory.json

Of a task's 1,000 training questions the last 100 validate. Each seed trains for all epochs. The run with the best
validation accuracy (then the lowest validation loss) counts as "chosen", never one that test questions chose; mean and
spread are of all seeds. Results are written after each run; a run that is there already is not trained again.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from command_recipe import finished_run

from numpylm.checkpoint import load_checkpoint
from numpylm.commands.answer import open_data
from numpylm.commands.run_folder import write_json
from numpylm.kinds.answer_task import encode_questions, score_questions

# Per cent on test questions, with 1,000 training questions. Majority: measured. LSTM: Weston et al. (2015). keras: its
# example babi_rnn. MemN2N: a public implementation, with position encoding and 3 hops.
PUBLISHED = {
    "majority": [18.7, 18.7, 21.5, 17.7, 18.9, 50.3, 48.8, 33.6, 63.8, 43.7,
                 18.7, 18.9, 18.3, 17.7, 34.1, 25.7, 52.0, 53.1, 9.3, 18.0],
    "LSTM 2015": [50, 20, 20, 61, 70, 48, 49, 45, 64, 44, 72, 74, 94, 27, 21, 23, 51, 52, 8, 91],
    "keras": [100, 50, 20.5, 62.9, 61.9, 50.7, 78.9, 77.2, 64.0, 47.7,
              74.9, 76.4, 94.4, 34.8, 32.4, 50.6, 49.1, 90.8, 9.0, 90.7],
    "MemN2N": [99.9, 78.4, 35.8, 96.2, 85.9, 92.1, 78.4, 87.4, 76.7, 82.6,
               95.7, 99.7, 90.1, 98.2, 100, 47.9, 49.9, 86.4, 12.6, 100],
}  # fmt: skip
MODELS = {"memory": "", "reader": "--model gru -D 32"}  # options of `answer --train`


def trained(folder, task, seed, model, runs):
    """Accuracies in per cent on each part, the validation loss, and seconds, of one run's last model."""
    options = f"--task {task} --seed {seed} {MODELS[model]}"
    run = runs / f"{model}-{task}-{seed}"
    config, summary, _ = finished_run(("answer", "--train"), options, folder, run, 1)
    data, last = open_data(config), load_checkpoint(run / "last.npz").model
    scores = {}
    for part, questions in data.parts.items():
        scores[part] = score_questions(last, encode_questions(data.vocabulary, questions, config.model.num_sentences))
    return {
        "seed": seed,
        **{part: round(100 * float(right.mean()), 2) for part, (_, right) in scores.items()},
        "valid_loss": round(scores["valid"][0], 4),
        "seconds": summary["seconds"],
    }


def summary_of(runs):
    """The run that validation chooses, and mean and standard deviation of the test accuracy of all."""
    best = max(runs, key=lambda run: (run["valid"], -run["valid_loss"]))
    tests = [run["test"] for run in runs]
    mean, spread = round(float(np.mean(tests)), 2), round(float(np.std(tests)), 2)
    return {"chosen": best["test"], "mean": mean, "spread": spread, "runs": runs}


def table(tasks):
    """Lines of the table: each task's chosen run and the mean of its runs, beside the published columns."""
    yield "| task | " + " | ".join(PUBLISHED) + " | ours, chosen | our mean |"
    yield "|---" * (len(PUBLISHED) + 3) + "|"
    rows = []
    for task in sorted(map(int, tasks)):
        found = tasks[str(task)]
        rows.append([*(column[task - 1] for column in PUBLISHED.values()), found["chosen"], found["mean"]])
        corrected = "*" if task in (3, 16) else ""
        below = " †" if rows[-1][1] <= round(rows[-1][0]) else ""  # published without decimals
        yield f"| {task}{corrected}{below} | " + " | ".join(map(str, rows[-1])) + f" ± {found['spread']} |"
    means = [f"{np.mean(column):.1f}" for column in zip(*rows, strict=True)]
    yield f"| mean of {len(rows)} | " + " | ".join(means) + " |"
    yield "* corrected after 2015; † the LSTM is at or below the majority answer"


def main():
    """Trains what is missing, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", choices=MODELS, default="memory")
    parser.add_argument("--tasks", default=",".join(map(str, range(1, 21))))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs", "recipes", "babi"))
    options = parser.parse_args()
    results = json.loads(options.json.read_text()) if options.json.exists() else {"tasks": {}}
    results |= {"model": options.model, "seeds": options.seeds}
    for task in options.tasks.split(","):
        runs = results["tasks"].get(task, {"runs": []})["runs"]
        for seed in range(len(runs), options.seeds):
            runs.append(trained(options.folder, task, seed, options.model, options.runs))
            print(f"task {task}: {runs[-1]}", flush=True)
            results["tasks"][task] = summary_of(runs)
            write_json(options.json, results)
    print("\n".join(table(results["tasks"])))


if __name__ == "__main__":
    main()
