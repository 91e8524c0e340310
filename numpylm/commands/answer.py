"""The answer command: trains a model that answers questions about stories, or asks one."""

import sys
from dataclasses import dataclass
from functools import partial

from numpylm.choices import choice
from numpylm.commands.answering import KIND
from numpylm.commands.task_command import add_task_options, run_task

DESCRIPTION = (
    "Train a memory network, or a recurrent reader, on questions about stories. Without\n"
    "arguments: on built-in stories, in under two minutes. With RUN: answer the questions\n"
    "of FILE, or of what you type. A line that begins with a question word or has a\n"
    "question mark is a question about the sentences before it; after an empty line a\n"
    "new story begins."
)
USAGE = "python -m numpylm answer [RUN [FILE]] [options]"


@dataclass(frozen=True)
class AnswerChoices:
    """How a trained run answers."""

    text: str = choice("-", "stories and questions, a sentence a line; - for standard input", flag="FILE")


def use(trained, choices):
    """Answers the questions of a file, or of a person at the terminal, who may mistype a line."""
    from numpylm.commands.trained import load_trained, read_file_or_stdin
    from numpylm.data.stories import StoryError, with_line

    model, vocabulary, _ = load_trained(trained, "answers")
    at_terminal = choices.text == "-" and sys.stdin is not None and sys.stdin.isatty()
    lines = typed() if at_terminal else read_file_or_stdin(choices.text).splitlines()
    name = "standard input" if choices.text == "-" else choices.text
    story, told, num_questions = {}, set(), 0
    for number, line in enumerate(lines, start=1):
        try:
            story, question = with_line(story, line, f"line {number}" if at_terminal else f"{name}, line {number}")
        except StoryError as error:
            if not at_terminal:
                raise
            print(error, file=sys.stderr)
            continue
        if question is not None:
            answer(model, vocabulary, question, told)
            num_questions += 1
    if not num_questions and not at_terminal:
        raise StoryError(f"{name} holds no question: a question begins with a question word, or has a question mark")
    return 0


def typed():
    """The lines that a person types at the terminal, until Ctrl-D."""
    print("Type a sentence a line, then a question: it begins with a question word, or has a question mark.\n"
          "An empty line begins a new story; Ctrl-D (Windows: Ctrl-Z, Enter) ends.", file=sys.stderr)  # fmt: skip
    while True:
        try:
            yield input("> ")
        except EOFError:
            print()
            return


def answer(model, vocabulary, question, told):
    """Prints the answer to a Question; each word that the model does not know is named once, and added to told."""
    from numpylm.answer_task import answer_question
    from numpylm.commands.answering_report import print_answer
    from numpylm.commands.trained import say_unknown

    words = (word for sentence in (*question.story, question.question) for word in sentence)
    unknown = [word for word in dict.fromkeys(words) if word not in {*vocabulary.tokens, *told}]
    told.update(unknown)
    say_unknown(unknown)
    print_answer(question, answer_question(model, vocabulary, question))


add_options = partial(add_task_options, kind=KIND, Use=AnswerChoices)
run = partial(run_task, kind=KIND, Use=AnswerChoices, use=use)
