"""What a trained model does on stories: it answers questions, is measured on them, and shows where it looked."""

import sys
from collections import Counter
from statistics import fmean

from numpylm import plots
from numpylm.answer_task import answer_question, encode_questions, score_questions
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.kind import Report
from numpylm.commands.results import mean_by, percent, print_table
from numpylm.commands.trained import lines_typed_or_read, load_trained, own_parts, say_unknown
from numpylm.data.printable import on_one_line
from numpylm.data.stories import StoryError, read_stories, with_line

HINT = (
    "Type a sentence a line, then a question: it begins with a question word, or has a question mark.\n"
    "An empty line begins a new story"
)
LOOKED_AT = 0.1  # sentences with at least this weight in a hop are shown
MOST_KINDS = 6  # of which examples are shown


def use(trained, choices):
    """Answers the questions of a file, or of a person at the terminal, who may mistype a line."""
    model, vocabulary, _ = load_trained(trained, "answers")
    at_terminal, lines = lines_typed_or_read(choices.text, HINT)
    name = "standard input" if choices.text == "-" else choices.text
    story = {}
    known = set(vocabulary.tokens)
    num_questions = 0
    for number, line in enumerate(lines, start=1):
        try:
            story, question = with_line(story, line, f"line {number}" if at_terminal else f"{name}, line {number}")
        except StoryError as error:
            if not at_terminal:
                raise
            print(error, file=sys.stderr)
            continue
        if question is not None:
            words = [word for sentence in (*question.story, question.question) for word in sentence]
            say_unknown([word for word in dict.fromkeys(words) if word not in known])
            known.update(words)  # each unknown word is named once
            print_answer(question, answer_question(model, vocabulary, question))
            num_questions += 1
    if not num_questions and not at_terminal:
        raise StoryError(f"{name} holds no question: a question begins with a question word, or has a question mark")


def report(run, model):
    """Measures the model on the test questions, prints what came out, and returns the Report."""
    parts, vocabulary = run.data.parts, run.data.vocabulary
    found, right = measured(model, vocabulary, parts["test"], parts["train"] + parts["valid"])
    print()
    print_table(*found.table)
    first = {}  # a question of each kind, the first that was answered right; and the first of all that was not
    for question, is_right in zip(parts["test"], right, strict=True):
        first.setdefault(question.kind if is_right else None, question)
    wrong = [first.pop(None)] if None in first else []
    print("\nUnseen stories")
    examples = [(one, answer_question(model, vocabulary, one)) for one in [*first.values()][:MOST_KINDS] + wrong]
    for question, answered in examples:
        print()
        print_answer(question, answered, whole_story=True)
    if run.config.model.model == "memory":
        with plots.may_fail("hops.png"):
            draw_hops(run.folder / "hops.png", *max(examples, key=lambda example: len(example[0].support)))
    return found


def measured(model, vocabulary, test, train):
    """(the Report of test questions, whether each was answered right). Beside the model: the most frequent answer to a
    kind of question in training, and drawing one of its answers by chance."""
    loss, right = score_questions(model, encode_questions(vocabulary, test, model.sizes.num_sentences))
    kinds = [one.kind for one in test]
    answers = {one.kind: Counter() for one in test + train}
    for one in train:
        answers[one.kind][one.answer] += 1
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


def print_answer(question, answered, whole_story=False):
    """Prints a question, the sentences that a hop looked at, with the weights of all hops, and the answer."""
    p, rows = answered.p.T, {}  # (I, K), of the story's last I sentences
    for i, weights in enumerate(p, start=len(question.story) - len(p)):
        if whole_story or weights.max(initial=0) >= LOOKED_AT:
            shown = [f"{100 * weight:.0f} %" if weight >= LOOKED_AT else "." for weight in weights]
            rows[f"{i + 1:3} {' '.join(question.story[i])}"] = shown
    print_table(f"{' '.join(question.question)}?", hop_names(p), rows)
    print(cut(f"  {verdict(question, answered)}", terminal_width() - 1))


def hop_names(p):
    """The names of the columns of p (I, K)."""
    return [f"hop {k}" for k in range(p.shape[1])]


def verdict(question, answered):
    """The answer and its probability, and the right answer where that is known and another."""
    expected, answer = on_one_line(question.answer), on_one_line(answered.answer)
    wrong = "" if expected in ("", answer) else f"   BAD: {expected} would be right"
    return f"{answer} ({percent(answered.probability)}){wrong}"


def draw_hops(path, question, answered):
    """Draws what each hop looked at, sentences x hops, as a heat map into a file. Raises ImportError without
    matplotlib."""
    p = answered.p.T  # (I, K), of the story's last I sentences
    sentences = list(enumerate(question.story))[-len(p) :]
    rows = [" ".join(sentence) + (" (tells it)" if i in question.support else "") for i, sentence in sentences]
    title = f"{' '.join(question.question)}?  {verdict(question, answered)}"
    plots.heat_map(path, p, rows, hop_names(p), "p, weight of a sentence", title, least=LOOKED_AT)


def evaluate(model, vocabulary, folder, options):
    """The Report of the run's own test questions, or of those in a file: kind.py."""
    if options.text:
        test = train = read_stories(options.text)
    else:
        parts = own_parts(folder, vocabulary)
        test, train = parts["test"], parts["train"] + parts["valid"]
    return measured(model, vocabulary, test, train)[0]
