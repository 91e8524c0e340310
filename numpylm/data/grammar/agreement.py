"""Agreement in number: which noun each verb agrees with; and how deep each word stands in modifiers.

A model can only get "the king near the cats sleeps" right if it remembers the king across the words between. A grammar
says by its names what agrees: a rule that begins with a `Noun...` symbol makes that noun the subject of all `Verb...`
symbols below it, down to the next such rule.

Source for such verbs as a test of memory: T. Linzen, E. Dupoux and Y. Goldberg, Assessing the ability of LSTMs to learn
syntax-sensitive dependencies (2016).
"""

from numpylm.data.grammar import derivation
from numpylm.data.grammar.english import ENGLISH


def forms(*prefixes):
    """(singular, plural) of each word that ENGLISH has below symbols such as "Noun", by the grammar's order."""
    words = [[rule.symbols[0] for p in prefixes for rule in ENGLISH.rules[f"{p}_{end}"]] for end in ("sg", "pl")]
    return list(zip(*words, strict=True))


VERBS = forms("Verb_be", "Verb_intransitive", "Verb_transitive")
NUMBER_OF_NOUN = {noun: number for pair in forms("Noun", "Relation") for number, noun in enumerate(pair)}  # 1: plural


def agreement_pairs(words):
    """Positions (noun, verb), from 0, of each verb that agrees with a noun before it, in the verbs' order.

    Raises ValueError if the sentence, a list of words without `<eos>`, is not grammatical.
    """
    return [(subject, position) for position, (subject, _, is_verb) in enumerate(places(words)) if is_verb]


def word_depths(words):
    """How many modifiers of nouns and verbs each word stands in; 0 for the words of the main clause.

    Raises what agreement_pairs does.
    """
    return [depth for _, depth, _ in places(words)]


def places(words):
    """Where each word stands: (position of its clause's subject, how many modifiers it is in, whether it is a verb)."""
    found, waiting = [], [(None, 0, False)] * 2  # the places of the open symbols: a stack beside the parser's
    for symbol, rule in derivation(words)[0]:
        subject, depth, is_verb = waiting.pop()
        if rule is None:
            found.append((subject, depth, is_verb))
        elif rule.symbols:
            subject = len(found) if rule.symbols[0].startswith("Noun") else subject
            depth += symbol.startswith(("Modifier", "Place"))
            waiting.extend([(subject, depth, symbol.startswith("Verb"))] * len(rule.symbols))
    return found[:-1]  # without that of <eos>
