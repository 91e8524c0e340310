"""A picture of attention: how much each target token looks at each source token."""

from numpylm import plots
from numpylm.data.grammar.chinese import PINYIN
from numpylm.data.text import END_OF_SENTENCE


def draw_attention(path, alpha, source, target):
    """Draw alpha (T_y, T_x) as a heat map into a file; source and target are the tokens beside it.

    Chinese is written in pinyin if no font has its characters. Raises ImportError where matplotlib is not installed.
    """
    from matplotlib.font_manager import findfont, get_font

    families = plots.font_families()
    can_draw = {code for family in families for code in get_font(findfont(family)).get_charmap()}
    style = {"font.family": families, "font.size": 10, "axes.grid": False}
    with plots.saved_figure(path, 1.6 + 0.36 * len(source), 1.6 + 0.3 * len(target), **style) as axes:
        image = axes.imshow(alpha, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(source)), [label(token, can_draw) for token in source], rotation=90, parse_math=False)
        axes.set_yticks(range(len(target)), [label(token, can_draw) for token in target], parse_math=False)
        axes.xaxis.tick_top()
        axes.figure.colorbar(image, label="alpha, the weight of a source position")


def label(token, can_draw):
    """A token as the picture shows it: itself, its pinyin, or its code points."""
    token = {"\n": END_OF_SENTENCE, " ": "space"}.get(token, token)
    if all(ord(character) in can_draw for character in token):
        return token
    return pinyin(token) or " ".join(f"U+{ord(character):04X}" for character in token)


def pinyin(token):
    """The pinyin of a word of the built-in corpus, or of one of its characters; None for another token."""
    if token in PINYIN:
        return PINYIN[token].replace("-", "")
    for word, syllables in PINYIN.items():
        if token in word and len(token) == 1:
            return syllables.split("-")[word.index(token)]
    return None
