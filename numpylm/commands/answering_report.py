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
MOST_ROWS = 40  # of a picture


def report(run, model):
    """Measures the model on the test questions, prints what came out, and returns the Report."""
    questions, test = run.data.questions, run.data.questions["test"]
    score = score_of(model, run.data.vocabulary, test)
    fields = measured(score, test, questions["train"] + questions["valid"])
    print_measures(fields)
    examples = chosen_examples(test, score.right)
    print("\nUnseen stories")
    for question in examples:
        print()
        print_answer(question, answer_question(model, run.data.vocabulary, question), whole_story=True)
    draw_example(run, model, examples)
    name = "memory network" if run.config.model.model == "memory" else f"{run.config.model.model.upper()} reader"
    return Report(fields, f"{name} on {cut(run.data.name, 40)}", {}, score.loss, "answer")


def score_of(model, vocabulary, questions):
    """The AnswerScore of Questions."""
    return score_questions(model, encode_questions(vocabulary, questions, model.sizes.num_sentences))


def measured(score, test, train):
    """The fields of summary.json: accuracies, also of the majority answer of each kind and of chance."""
    kinds = list(dict.fromkeys(one.kind for one in test))
    answers = {kind: Counter(one.answer for one in train if one.kind == kind) for kind in kinds}
    majority = {kind: counts.most_common(1)[0][0] if counts else None for kind, counts in answers.items()}
    found = {
        "accuracy": score.right,
        "accuracy_majority": np.array([one.answer == majority[one.kind] for one in test]),
        "accuracy_chance": np.array([1 / max(1, len(answers[one.kind])) for one in test]),
    }
    fields = {name: float(values.mean()) for name, values in found.items()}
    for name, values in found.items():
        fields[f"{name}_by_kind"] = {
            kind: float(np.mean([value for value, one in zip(values, test, strict=True) if one.kind == kind]))
            for kind in kinds
        }
    return fields | {"test_questions": len(test), "test_loss": finite_or_none(score.loss)}


def print_measures(fields):
    """Prints the accuracies as a table. Majority: the most frequent answer to a kind of question in training."""
    names = ("accuracy", "accuracy_majority", "accuracy_chance")
    print(f"\nTest questions, {fields['test_questions']:,}")
    print("                            right  majority   chance")
    for kind in fields["accuracy_by_kind"]:
        print_row(kind or "questions", [fields[f"{name}_by_kind"][kind] for name in names])
    if len(fields["accuracy_by_kind"]) > 1:
        print_row("all", [fields[name] for name in names])


def print_row(name, shares):
    """Prints a line of the table."""
    print(f"  {name:<24}" + "  ".join(f"{100 * share:5.1f} %" for share in shares))


def chosen_examples(test, right):
    """A question of each kind, of up to six, the first that was answered right; and the first that was not."""
    answered = list(zip(test, right, strict=True))
    kinds = list(dict.fromkeys(one.kind for one in test))[:6]
    first = [next((one for one, is_right in answered if is_right and one.kind == kind), None) for kind in kinds]
    wrong = [one for one, is_right in answered if not is_right][:1]
    return [one for one in first if one is not None] + wrong


def print_answer(question, answered, whole_story=False):
    """Prints a question and its Answered, after the sentences that a hop looked at, with the weights of all hops."""
    width, p = terminal_width() - 1, answered.p
    hops = 0 if p is None else len(p)
    if hops:
        print("  hop " + "".join(f"{k:<5}" for k in range(1, hops + 1)))
    for i, sentence in list(enumerate(question.story))[-MOST_ROWS:]:
        place = i - len(question.story) + (p.shape[1] if hops else 0)  # negative: beyond the model's memory
        weights = [p[k, place] if place >= 0 else 0 for k in range(hops)]
        if whole_story or max(weights, default=0) >= LOOKED_AT:
            shown = "".join(f"{f'{100 * weight:.0f}%' if weight >= LOOKED_AT else '.':>5}" for weight in weights)
            print(cut(f"  {shown} {i + 1:3} {on_one_line(' '.join(sentence))}", width))
    expected, answer = on_one_line(question.answer), on_one_line(answered.answer)
    print(cut(f"  {on_one_line(' '.join(question.question))}?", width))
    verdict = "" if expected in ("", answer) else f"   BAD: {expected} would be right"
    print(cut(f"      {answer} ({100 * answered.probability:.1f} %){verdict}", width))


def draw_example(run, model, examples):
    """Draws hops.png of the example whose answer rests on the most sentences; a reader has no hops to draw."""
    if not hasattr(model.sizes, "num_hops") or not examples:
        return
    question = max(examples, key=lambda one: len(one.support))
    with plots.may_fail("hops.png"):
        draw_hops(run.folder / "hops.png", question, answer_question(model, run.data.vocabulary, question))


def draw_hops(path, question, answered):
    """Draws what each hop looked at, sentences x hops, as a heat map into a file. Raises ImportError without
    matplotlib."""
    first = len(question.story) - answered.p.shape[1]
    p = answered.p[:, -MOST_ROWS:].T  # (I, K)
    first += answered.p.shape[1] - len(p)
    labels = [" ".join(sentence) + (" *" if first + i in question.support else "")
              for i, sentence in enumerate(question.story[-len(p):])]  # fmt: skip
    right = "" if answered.answer == question.answer else f", {question.answer} would be right"
    with plots.saved_figure(path, 3.4 + 0.75 * p.shape[1], 1.6 + 0.3 * len(p)) as axes:
        image = axes.imshow(p, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.grid(False)
        for (i, k), weight in np.ndenumerate(p):
            if weight >= 0.05:
                axes.text(k, i, f"{weight:.2f}", ha="center", va="center", fontsize=9,
                          color="white" if weight > 0.6 else "black")  # fmt: skip
        axes.set_xticks(range(p.shape[1]), [f"hop {k + 1}" for k in range(p.shape[1])])
        axes.set_yticks(range(len(p)), labels, fontsize=10, parse_math=False)
        title = f"{' '.join(question.question)}?  {answered.answer} ({100 * answered.probability:.0f} %){right}"
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
    fields = measured(score_of(model, vocabulary, test), test, train)
    return fields, lambda: print_measures(fields)
