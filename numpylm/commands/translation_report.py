"""What a trained encoder-decoder does: it translates lines, is measured on pairs, and shows its attention."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

from numpylm import plots
from numpylm.commands.console import mean_by, number, percent, print_examples, print_table
from numpylm.commands.run_folder import Report
from numpylm.commands.trained import load_trained, note_unknown, read_lines, unknown_tokens
from numpylm.data.grammar.agreement import word_depths
from numpylm.data.grammar.chart import is_chinese
from numpylm.data.grammar.chinese import PINYIN, SYLLABLES
from numpylm.data.pairs import BANDS, read_pairs
from numpylm.data.printable import on_one_line
from numpylm.data.text import END_OF_SENTENCE
from numpylm.evaluation import safe_exp
from numpylm.kinds.language_task import UNITS
from numpylm.kinds.translation_task import attention_weights, bleu, encode_pairs, score_pairs, translate_lines

MOST_TRANSLATED = 2000  # pairs, where a run measures its test part
BEAM = 5
WITHOUT_ATTENTION = 0.718  # measured: exact match of the built-in run of `translate --score none`


def use(trained, choices):
    """Prints the translation of each line."""
    model, vocabularies, _ = load_trained(trained, "translation")
    picture = choices.attention
    if picture is not None and model.attention is None:
        raise ValueError(f"{trained} has no attention to draw: it was trained with --score none")
    if picture is not None and find_spec("matplotlib") is None:
        raise ValueError("--attention needs matplotlib, which is not installed")
    text = " ".join(choices.text)  # what names no file is a sentence, but for one word with an ending: missing.txt
    is_sentence = text != "-" and not os.path.exists(text) and (" " in text or not Path(text).suffix)
    lines = [" ".join(line.split()) for line in ([text] if is_sentence else read_lines(text))]
    if "" in lines:
        raise ValueError(f"line {lines.index('') + 1} is empty: there is nothing to translate")
    note_unknown(unknown_tokens(vocabularies["source"], "\n".join(lines) + "\n"))
    search = {"width": choices.beam, "length_penalty": choices.length_penalty, "n_best": choices.n_best}
    found = translate_lines(model, vocabularies, lines, **search)
    for best in found:
        for text, hypothesis in best:
            score = f"{hypothesis.score:9.4f}  " if choices.n_best > 1 else ""
            print(f"{score}{on_one_line(text)}")
        if choices.n_best > 1 and len(found) > 1:
            print()
    if picture is not None:
        draw_attention(picture, model, vocabularies, lines[0], found[0][0][0])
        print(f"drew the attention over the first line in {on_one_line(picture)}", file=sys.stderr)


def report(run, model):
    """Measures the model on the test part, prints what came out, and returns the Report."""
    parts, vocabularies = run.data.parts, run.data.vocabulary
    pairs = parts["test"][:MOST_TRANSLATED]
    translations, right = translated(model, vocabularies, pairs)
    more = built_in_fields(run, model, translations, right) if parts.keys() >= BANDS.keys() else {}
    found = measured(model, vocabularies, parts["test"], translations, right, more)
    print_table(*found.table)
    print_examples("Unseen sentences", [
        [("", pair.source), ("ok" if is_right else "BAD", text), *[("right", pair.target)] * (not is_right)]
        for pair, text, is_right in zip(pairs, translations, right, strict=True)
    ])  # fmt: skip
    if model.attention is not None:
        with plots.may_fail("attention.png"):
            shown = [pair for pair, is_right in zip(pairs, right, strict=True) if is_right] or pairs
            relative = [pair for pair in shown if " that " in pair.source and 8 <= len(pair.source.split()) <= 14]
            draw_attention(run.folder / "attention.png", model, vocabularies, *(relative or shown)[0])
    return found


def translated(model, vocabularies, pairs, width=1):
    """(the best translation of each pair's source, whether it is the pair's own)."""
    found = translate_lines(model, vocabularies, [pair.source for pair in pairs], width=width)
    texts = [best[0][0] for best in found]
    return texts, [text == pair.target for text, pair in zip(texts, pairs, strict=True)]


def measured(model, vocabularies, pairs, greedy, right, more=()):
    """The Report of test pairs; greedy are the translations of all of them, or of the first ones, and right says which
    of these are right; more are fields."""
    score = score_pairs(model, encode_pairs(vocabularies, pairs))
    level = vocabularies["target"].level
    references = [pair.target for pair in pairs[: len(greedy)]]
    with_beam, signature = bleu(translated(model, vocabularies, pairs[: len(greedy)], BEAM)[0], references, level)
    fields = {
        "test_perplexity": safe_exp(score.loss),
        "exact_match": fmean(right),
        "exact_match_without_attention": None,
        "bleu": with_beam,
        "bleu_greedy": bleu(greedy, references, level)[0],
        "bleu_signature": signature,
        "vocabularies": {side: len(vocabulary) for side, vocabulary in vocabularies.items()},
        "test_unknown_tokens": score.num_unknown,
        "pairs": len(pairs),
        "nats_per_token": score.loss,
        **dict(more),
    }
    unknown = f", {score.num_unknown:,} of them unknown" if score.num_unknown else ""
    title = f"Test pairs: {len(pairs):,}, of {score.num_tokens:,} target {UNITS[level]}s{unknown}"
    return Report(fields, (title, (), rows_of(fields)), score.loss)


def rows_of(fields):
    """The rows of the table of a Report's fields; what was not measured has none."""
    shares = {
        "translated exactly, greedily": fields["exact_match"],
        "  without attention: translate --score none": fields["exact_match_without_attention"],
        **{f"  of {length}": share for length, share in fields.get("exact_match_by_length", {}).items()},
        **{f"  of nesting depth {depth}": share for depth, share in fields.get("exact_match_by_depth", {}).items()},
        "grammatical Chinese": fields.get("grammatical_share"),
    }
    return {
        "perplexity per target token, reading the true target": [number(fields["test_perplexity"], 3)],
        f"BLEU with a beam of {BEAM} (measured by sacrebleu)": [number(fields["bleu"])],
        "BLEU, greedily": [number(fields["bleu_greedy"])],
        **{name: [percent(share)] for name, share in shares.items() if share is not None},
    }


def built_in_fields(run, model, translations, right):
    """The fields that only the built-in corpus has. exact_match_without_attention is this run's own, or the stored one
    of the same choices."""
    config, parts, exact_match = run.config, run.data.parts, fmean(right)
    defaults = run.kind.Model(), run.kind.Settings(), run.kind.Data()
    stored = WITHOUT_ATTENTION if (config.model, config.settings, config.data) == defaults else None
    longer = {name: fmean(translated(model, run.data.vocabulary, parts[name])[1]) for name in BANDS}
    by_depth = mean_by([max(word_depths(pair.source.split())) for pair in parts["test"]], right)
    return {
        "exact_match_without_attention": exact_match if config.model.score == "none" else stored,
        "exact_match_by_length": {"1-20 words": exact_match, **longer},
        "exact_match_by_depth": {str(depth): by_depth[depth] for depth in sorted(by_depth)},
        "grammatical_share": fmean(is_chinese(text.replace(" ", "")) for text in translations),
    }


def evaluate(model, vocabularies, folder, options, own):
    """The Report of the run's own test pairs, or of those in files: run_folder.py."""
    pairs = (own.parts if own else read_pairs(options.text, options.source, options.target, to_test=True))["test"]
    return measured(model, vocabularies, pairs, *translated(model, vocabularies, pairs))


def draw_attention(path, model, vocabularies, source, target):
    """Draw the attention as a heat map into a file, while the model reads the line source and writes the line target.

    Chinese is written in pinyin if no font has its characters. Raises ImportError where matplotlib is not installed.
    """
    alpha, read, written = attention_weights(model, vocabularies, source, target)
    known = plots.known_characters()
    rows, columns = ([label(token, known) for token in tokens] for tokens in (written, read))
    plots.heat_map(path, alpha, rows, columns, "alpha, the weight of a source position")


def label(token, known):
    """A token as the picture shows it: itself, its pinyin, or its code points."""
    token = {"\n": END_OF_SENTENCE, " ": "space"}.get(token, token)
    if all(ord(character) in known for character in token):
        return token
    pinyin = [SYLLABLES.get(character, f"U+{ord(character):04X}") for character in token]
    return PINYIN.get(token, " ".join(pinyin)).replace("-", "")
