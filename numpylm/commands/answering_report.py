"""What a trained model does on stories: it answers questions, is measured on them, and shows where it looked."""

import sys
from collections import Counter
from statistics import fmean

from numpylm import plots
from numpylm.activations import softmax
from numpylm.answer_task import encode_questions, score_questions
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.kind import Report
from numpylm.commands.results import mean_by, percent, print_table
from numpylm.commands.trained import lines_typed_or_read, load_trained, own_parts, say_unknown
from numpylm.data.printable import on_one_line
from numpylm.data.stories import read_stories, with_line

QUESTION = "a question begins with a question word, or has a question mark"
HINT = f"Type a sentence a line, then a question: {QUESTION}.\nAn empty line begins a new story"
LOOKED_AT = 0.1  # sentences with at least this weight in a hop are shown
MOST_SHOWN = 7  # examples


def answered(model, vocabulary, question):
    """What is shown of a Question: (itself, the answer with its probability, the names of the hops, {sentence: its
    weights in them}). A reader has no hops."""
    batch = encode_questions(vocabulary, [question], model.sizes.num_sentences)
    out = model.forward(batch.story, batch.question)
    y = softmax(out.logits[0])
    answer, expected = vocabulary.tokens[y.argmax()].replace("_", " "), question.answer
    wrong = f"   BAD: {expected} would be right" if expected not in ("", answer) else ""
    hops, looked = getattr(out.trace, "hops", []), {}
    for k, i in enumerate(range(len(question.story))[-len(batch.story) :]):
        sentence = f"{i + 1:3} {' '.join(question.story[i])}{' (tells it)' if i in question.support else ''}"
        looked[sentence] = [hop.p[0, k] for hop in hops]
    answer = on_one_line(f"{answer} ({percent(y.max())}){wrong}")
    return f"{' '.join(question.question)}?", answer, [f"hop {k}" for k in range(len(hops))], looked


def print_answer(question, answer, hops, looked, least=LOOKED_AT):
    """Prints what answered returns, with the sentences that have at least this weight in a hop."""
    rows = {}
    for sentence, weights in looked.items():
        if max(weights, default=0) >= least:
            rows[sentence] = [f"{100 * weight:.0f} %" if weight >= LOOKED_AT else "." for weight in weights]
    print_table(question, hops, rows)
    print(cut(f"  {answer}", terminal_width() - 1))


def use(trained, choices):
    """Answers the questions of a file, or of a person at the terminal, who may mistype a line."""
    model, vocabulary, _ = load_trained(trained, "answers")
    at_terminal, lines = lines_typed_or_read(choices.text, HINT)
    name = "standard input" if choices.text == "-" else choices.text
    story, known, num_questions = {}, set(vocabulary.tokens), 0
    for number, line in enumerate(lines, start=1):
        try:
            story, question = with_line(story, line, f"{name}, line {number}")
        except ValueError as error:
            if not at_terminal:
                raise
            print(error, file=sys.stderr)
            continue
        if question is not None:
            words = dict.fromkeys(word for sentence in (*question.story, question.question) for word in sentence)
            say_unknown([word for word in words if word not in known])
            known.update(words)  # each unknown word is named once
            print_answer(*answered(model, vocabulary, question))
            num_questions += 1
    if not num_questions and not at_terminal:
        raise ValueError(f"{name} holds no question: {QUESTION}")


def report(run, model):
    """Measures the model on the test questions, prints what came out, and returns the Report."""
    parts, vocabulary = run.data.parts, run.data.vocabulary
    found, right = measured(model, vocabulary, parts)
    print()
    print_table(*found.table)
    print("\nUnseen stories")
    first = {}  # the first question of each kind that was answered right, and the first of all that was not
    for question, is_right in zip(parts["test"], right, strict=True):
        first.setdefault(question.kind if is_right else None, question)
    shown = [*first.values()][:MOST_SHOWN]
    for question in shown:
        print()
        print_answer(*answered(model, vocabulary, question), least=0)
    if run.config.model.model == "memory":
        longest = max(shown, key=lambda question: len(question.support))
        with plots.may_fail("hops.png"):
            draw_hops(run.folder / "hops.png", *answered(model, vocabulary, longest))
    return found


def draw_hops(path, question, answer, hops, looked):
    """Draws what answered returns as a heat map into a file. Raises ImportError where matplotlib is not installed."""
    weights, title = [*looked.values()], f"{question}  {answer}"
    plots.heat_map(path, weights, [*looked], hops, "p, weight of a sentence", title, LOOKED_AT)


def evaluate(model, vocabulary, folder, options):
    """The Report of the run's own test questions, or of those in a file: kind.py."""
    if options.text:
        questions = read_stories(options.text)
        parts = {"train": questions, "valid": [], "test": questions}
    else:
        parts = own_parts(folder, vocabulary)
    return measured(model, vocabulary, parts)[0]


def measured(model, vocabulary, parts):
    """(the Report of the test questions, whether each was answered right). Beside the model: the most frequent answer
    to a kind of question in training, and drawing one of its answers by chance."""
    test, train = parts["test"], parts["train"] + parts["valid"]
    loss, right = score_questions(model, encode_questions(vocabulary, test, model.sizes.num_sentences))
    kinds = [one.kind for one in test]
    answers = {kind: Counter(one.answer for one in train if one.kind == kind) for kind in dict.fromkeys(kinds)}
    majority = {kind: max(counts, key=counts.get, default=None) for kind, counts in answers.items()}
    columns = {
        "accuracy": right,
        "accuracy_majority": [one.answer == majority[one.kind] for one in test],
        "accuracy_chance": [1 / max(1, len(answers[kind])) for kind in kinds],
    }
    fields = {"test_questions": len(test), "test_loss": loss}
    for name, values in columns.items():
        fields |= {name: fmean(values), f"{name}_by_kind": mean_by(kinds, values)}
    rows = {kind or "questions": [percent(fields[f"{name}_by_kind"][kind]) for name in columns] for kind in kinds}
    if len(rows) > 1:
        rows["all"] = [percent(fields[name]) for name in columns]
    return Report(fields, (f"Test questions: {len(test):,}", ("right", "majority", "chance"), rows), loss), right
