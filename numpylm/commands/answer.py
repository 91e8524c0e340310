"""The answer command: trains a model that answers questions about stories, or asks one."""

import sys
from dataclasses import dataclass

from numpylm.choices import choice
from numpylm.commands.answering import KIND
from numpylm.commands.task_command import add_task_options, run_task

DESCRIPTION = (
    "Train a memory network, or a recurrent reader, on questions about stories. Without\n"
    "arguments: on built-in stories, in under two minutes. With RUN: answer the questions\n"
    "of FILE, or of what you type. A line with a question mark is a question about the\n"
    "sentences before it; after an empty line a new story begins."
)
USAGE = "python -m numpylm answer [RUN [FILE]] [options]"


@dataclass(frozen=True)
class AnswerChoices:
    """How a trained run answers."""

    text: str = choice("-", "stories and questions, a sentence a line; - for standard input", flag="FILE")


def add_options(parser):
    """All of training's, and what to read."""
    add_task_options(parser, KIND, AnswerChoices)


def run(options):
    """numpylm answer"""
    return run_task(options, KIND, AnswerChoices, use)


def use(trained, choices):
    """Answers the questions of a file, or of a person at the terminal."""
    from numpylm.commands.trained import load_trained, read_file_or_stdin

    model, vocabulary, _ = load_trained(trained, "answers")
    told = set()
    if choices.text == "-" and sys.stdin is not None and sys.stdin.isatty():
        talk(model, vocabulary, told)
        return 0
    name = "standard input" if choices.text == "-" else choices.text
    for question in questions_in(read_file_or_stdin(choices.text), name):
        answer(model, vocabulary, question, told)
    return 0


def questions_in(content, name):
    """The Questions of a text. Raises StoryError, with the line's number, before any is answered."""
    from numpylm.data.stories import StoryError, with_line

    story, questions = {}, []
    for number, line in enumerate(content.splitlines(), start=1):
        story, question = with_line(story, line, f"{name}, line {number}")
        questions += [] if question is None else [question]
    if not questions:
        raise StoryError(f"{name} holds no question: a question is a line with a question mark")
    return questions


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


def talk(model, vocabulary, told):
    """Reads sentences and questions from the terminal until its end, and answers each question."""
    from numpylm.data.stories import StoryError, with_line

    print("Type a sentence a line, then a question, with a question mark. An empty line begins a new story; Ctrl-D "
          "(Windows: Ctrl-Z, Enter) ends.", file=sys.stderr)  # fmt: skip
    story, number = {}, 0
    while True:
        try:
            line = input("> ")
        except EOFError:
            print()
            return
        number += 1
        try:
            story, question = with_line(story, line, f"line {number}")
        except StoryError as error:
            print(error, file=sys.stderr)
            continue
        if question is not None:
            answer(model, vocabulary, question, told)
