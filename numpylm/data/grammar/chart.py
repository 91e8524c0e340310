"""Whether a Chinese sentence is grammatical: the rules of what chinese.py can write, and a chart parser.

What modifies a noun stands before it, and may be as long as a sentence: the next word does not tell which rule applies,
so that the LL(1) parser of the English side is no use. Earley's parser follows all the rules that fit side by side, and
reads character by character, for Chinese is written without spaces:

    item (A -> α · β, i)     from character i on, α has been read as the beginning of an A; β is expected next
    predict                  β begins with a nonterminal B: begin each rule of B here
    scan                     β begins with the next character: read it
    complete                 β is empty: every item that was waiting for an A at i has read it

Three agreements make families of rules: a measure word with its noun; 每 with 都 before a predicate; and the number
of a noun with that of the remark in brackets behind it. An English word stands for its Chinese one.

Source: J. Earley, An efficient context-free parsing algorithm (1970).
"""

from functools import cache

from numpylm.data.grammar.chinese import CHINESE, MEASURES

RULES = """
Sentence -> Clause 。 | “ Clause ， ” Speaker 。
Speaker -> Core 说 | Every 都 说
Core -> Singular | Plural
Clause -> Subject Predicate
Subject -> Phrase | EveryPhrase 都
Object -> Phrase | EveryPhrase
Phrase -> Core | Modifier 的 Core | Singular （ Object 的 一 个 Kin ） | Plural （ Object 的 Kin 们 ）
EveryPhrase -> Every | Modifier 的 Every | Every （ Object 的 一 个 Kin ）
Modifier -> Place | Predicate | Subject Transitive
Predicate -> Intransitive | Adverbial Intransitive | Transitive Object | 很 Quality
Place -> Companion Side | 和 Companion 在一起 | 身边 没有 Companion
Adverbial -> 在 Companion Side | 和 Companion 一起 | 在 没有 Companion 的 陪伴 下
Companion -> Core | Every | Place 的 Core | Place 的 Every
Singular -> 那 Counted | 一 Counted | 这 Counted
Every -> 每 Counted
Plural -> Several Noun | Several Attribute Noun
Several -> 那些 | 这些 | 许多 | 一些 | 少数
Attribute -> 小 | Adjective 的
Kin -> friend | cousin | guest
Side -> near | behind | beside
Adjective -> happy | young | clever | quiet | brave | tired | proud | gentle | hungry
Quality -> small | happy | young | clever | quiet | brave | tired | proud | gentle | 饿
Intransitive -> sleep | sing | smile | dance | wait | laugh | dream
Transitive -> see | love | know | hear | follow | help | like | fear
"""


@cache
def chinese_rules():
    """Nonterminal -> its alternatives, each a tuple of symbols. A symbol that is no key is a character."""
    lines = [line.split(" -> ") for line in RULES.strip().splitlines()]
    rules = {name: [body.split() for body in bodies.split(" | ")] for name, bodies in lines}
    rules["Noun"] = [[noun] for noun in MEASURES]
    rules["Counted"] = [[measure, noun] for noun, measure in MEASURES.items()]
    rules["Counted"] += [[measure, "Attribute", noun] for measure, noun in rules["Counted"]]

    def symbols(body):  # of a word, each Chinese character
        return tuple(symbol for word in body for symbol in ([word] if word in rules else CHINESE.get(word, word)))

    return {name: [symbols(body) for body in bodies] for name, bodies in rules.items()}


def is_chinese(text):
    """Whether the rules can write this text, without spaces, as a Sentence."""
    rules = chinese_rules()
    chart = []  # chart[k]: symbol expected next, at character k -> items (A, β after it, i)
    agenda = [("Sentence", body, 0) for body in rules["Sentence"]]
    for k in range(len(text) + 1):
        waiting, complete = {}, set()  # complete: (A, i) that end before character k
        chart.append(waiting)
        while agenda:
            A, rest, i = agenda.pop()
            if not rest:  # complete; no rule is empty, so that i < k
                if (A, i) not in complete:
                    complete.add((A, i))
                    agenda += chart[i].get(A, ())
                continue
            if rest[0] not in waiting:  # predict
                waiting[rest[0]] = set()
                agenda += [(rest[0], body, k) for body in rules.get(rest[0], ())]
            waiting[rest[0]].add((A, rest[1:], i))
        agenda = list(waiting.get(text[k], ())) if k < len(text) else []  # scan
    return ("Sentence", 0) in complete
