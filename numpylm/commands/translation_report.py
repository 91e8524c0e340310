"""What a finished run of the encoder-decoder reports: unseen sentences, right or wrong, and a picture of attention."""

import sys
from statistics import fmean
from typing import NamedTuple

from numpylm import plots
from numpylm.commands.console import cut, program, terminal_width
from numpylm.commands.kind import Report
from numpylm.commands.run_config import read_config
from numpylm.commands.run_folder import finite_or_none
from numpylm.commands.translation import open_data, unit
from numpylm.data.grammar.chart import is_chinese
from numpylm.data.grammar.chinese import PINYIN, SYLLABLES
from numpylm.data.grammar.pairs import BANDS, nesting_depth
from numpylm.data.pairs import read_tab_separated
from numpylm.data.printable import on_one_line
from numpylm.data.text import END_OF_SENTENCE
from numpylm.evaluation import safe_exp
from numpylm.translation_task import attention_weights, bleu, encode_pairs, score_pairs, translate_lines

SHOWN = 8
MOST_TRANSLATED = 2000  # pairs, where a run measures its test part
BEAM = 5
WITHOUT_ATTENTION = (0.718, "translate --score none")  # measured: exact match of the built-in run, and its command


class Translated(NamedTuple):
    """Pairs, the model's translations, greedy and by a beam of width BEAM, and which greedy ones are the pair's own."""

    pairs: list
    greedy: list
    beam: list
    right: list


def report(run, model):
    """Measures the model on the test part, prints what came out, and returns the Report."""
    print("translating the test sentences …", file=sys.stderr)
    score = score_pairs(model, run.data.encoded["test"])
    test = translated(model, run.data.vocabulary, run.data.pairs["test"][:MOST_TRANSLATED])
    fields = measured(run.data.vocabulary, score, test)
    print_measures(fields, score, run.task.unit)
    print_examples(test)
    if run.data.pairs.keys() >= BANDS.keys():  # the built-in ones
        fields |= built_in_measures(run, model, test)
    draw_example(run, model, test)
    title = f"{run.config.model.model.upper()} encoder-decoder on {cut(run.data.name, 40)}"
    return Report(fields, title, {}, score.loss, "translate")


def translated(model, vocabularies, pairs):
    """The Translated of these pairs."""
    lines = [pair.source for pair in pairs]
    greedy, beam = (best_of(model, vocabularies, lines, width) for width in (1, BEAM))
    return Translated(pairs, greedy, beam, [text == pair.target for text, pair in zip(greedy, pairs, strict=True)])


def best_of(model, vocabularies, lines, width=1):
    """The best translation of each line."""
    return [best[0][0] for best in translate_lines(model, vocabularies, lines, width=width)]


def measured(vocabularies, score, test):
    """The fields of summary.json that come from the test part."""
    level, references = vocabularies["target"].level, [pair.target for pair in test.pairs]
    with_beam, signature = bleu(test.beam, references, level)
    return {
        "test_perplexity": finite_or_none(safe_exp(score.loss)),
        "exact_match": fmean(test.right),
        "exact_match_without_attention": None,
        "bleu": with_beam,
        "bleu_greedy": bleu(test.greedy, references, level)[0],
        "bleu_signature": signature,
        "vocabularies": {side: len(vocabulary) for side, vocabulary in vocabularies.items()},
        "test_unknown_tokens": score.num_unknown,
    }


def print_measures(fields, score, unit):
    """Prints the measures of the test part."""
    unknown = f", {score.num_unknown:,} of them unknown" if score.num_unknown else ""
    scores = "not measured: sacrebleu is not installed"
    if fields["bleu"] is not None:
        scores = f"{fields['bleu']:.2f} with a beam of {BEAM}, {fields['bleu_greedy']:.2f} greedy"
    print(f"\nTest pairs, {score.num_tokens:,} {unit}s{unknown}")
    print(f"  perplexity per {unit} {safe_exp(score.loss):.3f} (the decoder reads the true target)")
    print(f"  translated exactly      {100 * fields['exact_match']:.1f} % (greedy)")
    print(f"  BLEU                    {scores}")


def print_examples(test):
    """Prints some translations of unseen sentences; of a wrong one, the right one too."""
    print("\nUnseen sentences")
    for pair, text, right in list(zip(test.pairs, test.greedy, test.right, strict=True))[:SHOWN]:
        lines = [f"       {pair.source}", f"  {'ok ' if right else 'BAD'}  {text}"]
        for line in lines if right else [*lines, f"       right: {pair.target}"]:
            print(cut(on_one_line(line), terminal_width() - 1))


def built_in_measures(run, model, test):
    """Prints and returns what only the built-in corpus tells: grammatical share, longer sentences, nesting depth."""
    grammatical = fmean(is_chinese(text.replace(" ", "")) for text in test.greedy)
    by_length = {"1-20 words": fmean(test.right)}
    for name in BANDS:
        sources, targets = zip(*run.data.pairs[name], strict=True)
        found = best_of(model, run.data.vocabulary, sources)
        by_length[name] = fmean(text == target for text, target in zip(found, targets, strict=True))
    by_depth = {}
    for pair, right in zip(test.pairs, test.right, strict=True):
        by_depth.setdefault(nesting_depth(pair.source), []).append(right)
    by_depth = {str(depth): fmean(by_depth[depth]) for depth in sorted(by_depth)}
    print(f"\n  grammatical Chinese     {100 * grammatical:.1f} %")
    print(f"  exact by length         {shares(by_length)}")
    print(f"  exact by nesting depth  {shares(by_depth)}")
    return {
        "grammatical_share": grammatical,
        "exact_match_without_attention": without_attention(run, test),
        "exact_match_by_length": by_length,
        "exact_match_by_depth": by_depth,
    }


def without_attention(run, test):
    """The share that is right without attention, printed: this run's own, or the stored one of the same choices; None
    for a run of other choices."""
    config, kind = run.config, run.kind
    if config.model.score == "none":
        return fmean(test.right)
    if (config.model, config.settings, config.data) != (kind.Model(), kind.Settings(), kind.Data()):
        return None
    stored, command = WITHOUT_ATTENTION
    print(f"  without attention       {100 * stored:.1f} % exact ({program()} {command})")
    return stored


def shares(named):
    """Shares by name, as a line shows them."""
    return ", ".join(f"{name}: {100 * value:.1f} %" for name, value in named.items())


def draw_example(run, model, test):
    """Draws attention.png: attention over a test sentence, one with a relative clause if there is one."""
    if model.attention is None:
        return
    candidates = [pair for pair, right in zip(test.pairs, test.right, strict=True) if right] or test.pairs
    relative = [pair for pair in candidates if " that " in pair.source and 8 <= len(pair.source.split()) <= 14]
    pair = (relative or candidates)[0]
    with plots.may_fail("attention.png"):
        draw_attention(run.folder / "attention.png", model, run.data.vocabulary, *pair)


def evaluate(model, vocabularies, folder, text):
    """Measures the run's own test pairs, or those of a tab-separated file: kind.py."""
    pairs = read_tab_separated(text) if text else open_data(read_config(folder), vocabularies).pairs["test"]
    score = score_pairs(model, encode_pairs(vocabularies, pairs))
    fields = measured(vocabularies, score, translated(model, vocabularies, pairs))
    fields |= {"pairs": len(pairs), "nats_per_token": finite_or_none(score.loss)}
    return fields, lambda: print_measures(fields, score, unit(vocabularies))


def draw_attention(path, model, vocabularies, source, target):
    """Draw the attention as a heat map into a file, while the model reads the line source and writes the line target.

    Chinese is written in pinyin if no font has its characters. Raises ImportError where matplotlib is not installed.
    """
    from matplotlib.font_manager import findfont, get_font

    alpha, read, written = attention_weights(model, vocabularies, source, target)
    families = plots.font_families()
    can_draw = {code for family in families for code in get_font(findfont(family)).get_charmap()}
    style = {"font.family": families, "font.size": 10, "axes.grid": False}
    with plots.saved_figure(path, 1.6 + 0.36 * len(read), 1.6 + 0.3 * len(written), **style) as axes:
        image = axes.imshow(alpha, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(read)), [label(token, can_draw) for token in read], rotation=90, parse_math=False)
        axes.set_yticks(range(len(written)), [label(token, can_draw) for token in written], parse_math=False)
        axes.xaxis.tick_top()
        axes.figure.colorbar(image, label="alpha, the weight of a source position")


def label(token, can_draw):
    """A token as the picture shows it: itself, its pinyin, or its code points."""
    token = {"\n": END_OF_SENTENCE, " ": "space"}.get(token, token)
    if all(ord(character) in can_draw for character in token):
        return token
    if token in PINYIN:
        return PINYIN[token].replace("-", "")
    return " ".join(SYLLABLES.get(character, f"U+{ord(character):04X}") for character in token)
