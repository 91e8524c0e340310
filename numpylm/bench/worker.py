"""The process that measures: its BLAS was set up by its environment, before NumPy was imported (processes.py).

Reads requests from standard input, a JSON object a line, {"task": name, …}, and answers each with a line of JSON.
Seconds are lists, one entry for each round; disagreement maps an implementation to what differs, or to None.
"""

import json
import os
import sys

from numpylm.bench import measure, memory, system

TASKS = {
    "about": system.about,
    "training": measure.training,
    "sampling": measure.sampling,
    "evaluation": measure.evaluation,
    "memory": memory.training_memory,
    "probe": measure.probe,
    "scaling": measure.scaling,
}


def main():
    """Answers until there are no more requests. What else is printed goes to standard error."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            request = json.loads(line)
            answer = TASKS[request.pop("task")](**request)
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)  # the command that started this process says so
