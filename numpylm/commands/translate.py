"""The translate command: trains an encoder-decoder, or translates with one."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from numpylm import require
from numpylm.choices import choice
from numpylm.commands.task_command import WIDEST_BEAM, add_task_options, run_task
from numpylm.commands.translation import KIND

DESCRIPTION = (
    "Train an encoder-decoder with attention, and translate with it. Without\n"
    "arguments: the built-in English into Chinese, in under three minutes. With RUN:\n"
    "translate the lines of TEXT, a file, or - for standard input, or a sentence."
)
USAGE = "python -m numpylm translate [RUN [TEXT …]] [options]"


@dataclass(frozen=True)
class TranslateChoices:
    """How a trained run translates."""

    text: tuple = choice(("-",), "a UTF-8 file, - for standard input, or a sentence", flag="TEXT", nargs="*")
    beam: int = choice(5, "hypotheses that beam search keeps; 1 is greedy", metavar="K")
    n_best: int = choice(1, "show the K best translations of each line, with their scores", metavar="K")
    length_penalty: float = choice(1.0, "0 compares log p itself; larger favours longer translations", metavar="A")
    attention: str | None = choice(None, "draw the attention over the first line", metavar="FILE.png")

    def __post_init__(self):
        from numpylm.beam_search import check_search

        require.expect("beam", self.beam, 1 <= self.beam <= WIDEST_BEAM, f"an integer from 1 to {WIDEST_BEAM}")
        check_search(self.beam, self.length_penalty, self.n_best, 1)


def add_options(parser):
    """All of training's, and how to translate."""
    add_task_options(parser, KIND, TranslateChoices)


def run(options):
    """numpylm translate"""
    return run_task(options, KIND, TranslateChoices, use)


def use(trained, choices):
    """Prints the translation of each line."""
    from numpylm.commands.trained import load_trained, note_unknown
    from numpylm.commands.translation_report import draw_attention
    from numpylm.data.printable import on_one_line
    from numpylm.translation_task import translate_lines

    model, vocabularies, _ = load_trained(trained, "translation")
    if choices.attention is not None and model.attention is None:
        raise ValueError(f"{trained} has no attention to draw: it was trained with --score none")
    lines = lines_of(" ".join(choices.text))
    note_unknown(vocabularies["source"], "\n".join(lines) + "\n")
    found = translate_lines(
        model, vocabularies, lines,
        width=choices.beam, length_penalty=choices.length_penalty, n_best=choices.n_best,
    )  # fmt: skip
    for best in found:
        for text, hypothesis in best:
            score = f"{hypothesis.score:9.4f}  " if choices.n_best > 1 else ""
            print(f"{score}{on_one_line(text)}")
        if choices.n_best > 1 and len(found) > 1:
            print()
    if choices.attention is not None:
        draw_attention(choices.attention, model, vocabularies, lines[0], found[0][0][0])
        print(f"drew the attention over the first line in {on_one_line(choices.attention)}", file=sys.stderr)
    return 0


def lines_of(text):
    """The lines of a file, of standard input, or the sentence itself. Raises ValueError where one is empty.

    What names no file is a sentence, but for one word with an ending, such as missing.txt.
    """
    from numpylm.commands.trained import read_file_or_stdin

    is_sentence = text != "-" and not os.path.exists(text) and (" " in text or not Path(text).suffix)
    content = text if is_sentence else read_file_or_stdin(text)
    lines = [" ".join(line.split()) for line in content.removesuffix("\n").split("\n")]
    if "" in lines:
        raise ValueError(f"line {lines.index('') + 1} is empty: there is nothing to translate")
    return lines
