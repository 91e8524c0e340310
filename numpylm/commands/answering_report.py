"""What a finished run on stories reports: accuracy by kind of question, answers with what was looked at, a picture."""

from collections import Counter

import numpy as np

from numpylm import plots
from numpylm.answer_task import answer_question, encode_questions, score_questions
from numpylm.commands.answering import open_data
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.kind import Report
from numpylm.commands.run_config import read_config
from numpylm.commands.run_folder import finite_or_none
from numpylm.data.printable import on_one_line
from numpylm.data.stories import read_stories

LOOKED_AT = 0.1  # sentences with at least this weight in a hop are shown
MOST_KINDS = 6  # of which examples are shown
COLUMNS = {"right": "accuracy", "majority": "accuracy_majority", "chance": "accuracy_chance"}


def report(run, model):
    """Measures the model on the test questions, prints what came out, and returns the Report."""
    questions, vocabulary = run.data.questions, run.data.vocabulary
    test, train = questions["test"], questions["train"] + questions["valid"]
    loss, right = score_of(model, vocabulary, test)
    fields = measured(loss, right, test, train)
    print_measures(fields)
    print("\nUnseen stories")
    examples = [(one, answer_question(model, vocabulary, one)) for one in examples_of(test, right)]
    for question, answered in examples:
        print()
        print_answer(question, answered, whole_story=True)
    if run.config.model.model == "memory":
        with plots.may_fail("hops.png"):
            draw_hops(run.folder / "hops.png", *max(examples, key=lambda example: len(example[0].support)))
    name = "memory network" if run.config.model.model == "memory" else f"{run.config.model.model.upper()} reader"
    return Report(fields, f"{name} on {cut(run.data.name, 40)}", {}, loss, "answer")


def score_of(model, vocabulary, questions):
    """What score_questions finds for Questions."""
    return score_questions(model, encode_questions(vocabulary, questions, model.sizes.num_sentences))


def measured(loss, right, test, train):
    """The fields of summary.json: accuracies, also of the majority answer of each kind and of chance."""
    answers = {kind: Counter(one.answer for one in train if one.kind == kind) for kind in {one.kind: 0 for one in test}}
    majority = {kind: max(counts, key=counts.get, default=None) for kind, counts in answers.items()}
    found = {
        "accuracy": right,
        "accuracy_majority": [one.answer == majority[one.kind] for one in test],
        "accuracy_chance": [1 / max(1, len(answers[one.kind])) for one in test],
    }
    fields = {"test_questions": len(test), "test_loss": finite_or_none(loss)}
    for name, values in found.items():
        fields[name] = float(np.mean(values))
        fields[f"{name}_by_kind"] = {
            kind: float(np.mean([value for value, one in zip(values, test, strict=True) if one.kind == kind]))
            for kind in answers
        }
    return fields


def print_measures(fields):
    """Prints the accuracies as a table. Majority: the most frequent answer to a kind of question in training."""
    kinds = list(fields["accuracy_by_kind"])
    rows = {kind: [fields[f"{name}_by_kind"][kind] for name in COLUMNS.values()] for kind in kinds}
    rows |= {"all": [fields[name] for name in COLUMNS.values()]} if len(kinds) > 1 else {}
    count = fields["test_questions"]
    title = f"{count:,} test question{'s' * (count > 1)}"
    print(f"\n{title:<26}" + "".join(f"{name:>10}" for name in COLUMNS))
    for kind, shares in rows.items():
        print(f"  {kind or 'questions':<24}" + "".join(f"{100 * share:8.1f} %" for share in shares))


def examples_of(test, right):
    """A question of each kind, the first that was answered right; and the first of all that was not."""
    first = {}
    for question, is_right in zip(test, right, strict=True):
        first.setdefault(question.kind if is_right else None, question)
    wrong = [first.pop(None)] if None in first else []
    return list(first.values())[:MOST_KINDS] + wrong


def print_answer(question, answered, whole_story=False):
    """Prints a question and its Answered, after the sentences that a hop looked at, with the weights of all hops."""
    width, p = terminal_width() - 1, answered.p.T  # (I, K), of the story's last I sentences
    if p.shape[1]:
        print("  hop " + "    ".join(str(k) for k in range(p.shape[1])))
    for i, weights in enumerate(p, start=len(question.story) - len(p)):
        if whole_story or weights.max(initial=0) >= LOOKED_AT:
            shown = "".join(f"{f'{100 * weight:.0f}%' if weight >= LOOKED_AT else '.':>5}" for weight in weights)
            print(cut(f"  {shown} {i + 1:3} {on_one_line(' '.join(question.story[i]))}", width))
    print(cut(f"  {on_one_line(' '.join(question.question))}?", width))
    print(cut(f"      {verdict(question, answered)}", width))


def verdict(question, answered):
    """The answer and its probability, and the right answer where that is known and another."""
    expected, answer = on_one_line(question.answer), on_one_line(answered.answer)
    wrong = "" if expected in ("", answer) else f"   BAD: {expected} would be right"
    return f"{answer} ({100 * answered.probability:.1f} %){wrong}"


def draw_hops(path, question, answered):
    """Draws what each hop looked at, sentences x hops, as a heat map into a file. Raises ImportError without
    matplotlib."""
    p = answered.p.T  # (I, K), of the story's last I sentences
    sentences = list(enumerate(question.story))[-len(p) :]
    labels = [" ".join(sentence) + " *" * (i in question.support) for i, sentence in sentences]
    with plots.saved_figure(path, 3.4 + 0.75 * p.shape[1], 1.6 + 0.3 * len(p)) as axes:
        image = axes.imshow(p, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.grid(False)
        for (i, k), weight in np.ndenumerate(p):
            if weight >= LOOKED_AT:
                color = "white" if weight > 0.6 else "black"
                axes.text(k, i, f"{weight:.2f}", ha="center", va="center", fontsize=9, color=color)
        axes.set_xticks(range(p.shape[1]), [f"hop {k}" for k in range(p.shape[1])])
        axes.set_yticks(range(len(p)), labels, fontsize=10, parse_math=False)
        title = f"{' '.join(question.question)}?  {verdict(question, answered)}"
        axes.figure.suptitle(title, fontsize=11, parse_math=False)
        axes.set_xlabel("* tells the answer")
        axes.figure.colorbar(image, label="p, weight of a sentence")


def evaluate(model, vocabulary, folder, text):
    """Measures the run's own test questions, or those of a file: kind.py."""
    if text:
        test = train = read_stories(text)
    else:
        questions = open_data(read_config(folder), vocabulary).questions
        test, train = questions["test"], questions["train"] + questions["valid"]
    fields = measured(*score_of(model, vocabulary, test), test, train)
    return fields, lambda: print_measures(fields)
