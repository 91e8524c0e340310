"""The evaluate command: a trained model is measured on test data, its run's own or others."""

import json
from importlib import import_module

from numpylm.commands.console import print_table
from numpylm.commands.run import check_finite
from numpylm.commands.run_folder import RunError, finite
from numpylm.commands.trained import add_run_argument, checkpoint_path, kind_of, load_trained, own_data

DESCRIPTION = (
    "Perplexity, bits per character and accuracy of a trained model on a text. The text "
    "is read once, in order. Its last line counts as ended, also without a line end. "
    "Of a run of translate, TEXT is a file of pairs, with a tab between a sentence and its translation, or a folder "
    "with test pairs; of transcribe, a folder of recordings; of answer, a file of stories."
)


def add_options(parser):
    add_run_argument(parser)
    add = parser.add_argument
    add("text", nargs="?", metavar="TEXT",
        help="a UTF-8 file, a token file's test part, or - for standard input (the run's own test text)")  # fmt: skip
    add("--source", metavar="FILE", help="of a run of translate: the sentences, one a line; with a folder as TEXT, the "
        "ending of its files, such as de")  # fmt: skip
    add("--target", metavar="FILE", help="the same of their translations")
    add("--json", action="store_true", help="print the numbers as JSON")


def run(options):
    """numpylm evaluate. Raises RunDiverged, after the numbers are printed, where they are not finite."""
    trained, kind = options.trained, kind_of(options.trained)
    is_named = bool(options.text or options.source or options.target)
    if kind.name != "translation" and (options.source or options.target):
        raise ValueError(f"--source and --target are files of translate; {trained} is a run of `{kind.command}`")
    if kind.name != "language" and options.text == "-":
        raise ValueError(f"standard input can hold a text for a run of `train` alone; {trained} is a run of "
                         f"`{kind.command}`: name a file or a folder")  # fmt: skip
    model, vocabulary, _ = load_trained(trained, kind.name)
    folder = checkpoint_path(trained).parent
    if not is_named and not (folder / "config.json").exists():
        raise ValueError(f"name a text to evaluate on: {folder} holds no run whose test text could be taken")
    try:
        own = None if is_named else own_data(folder, vocabulary)
        report = import_module(kind.report).evaluate(model, vocabulary, folder, options, own)
    except FileNotFoundError as error:
        if is_named:
            raise
        raise RunError(f"{error}. If the data have moved, name them: evaluate {trained} TEXT") from None
    if options.json:
        print(json.dumps(finite(report.fields)))
    else:
        print_table(*report.table)
    has_perplexity = any("perplexity" in field for field in report.fields)
    name = f"the model's loss on {options.text or 'the test data'}"
    check_finite(name, report.loss, has_perplexity, ": its numbers overflow there")
