"""The Chinese partner of the built-in English grammar: each derivation of ENGLISH gives one Chinese sentence.

    the cat that the king sees sleeps .        那 位 国王 看见 的 那 只 猫 睡觉 。
    every dog near a queen is happy .          一 位 女王 附近 的 每 条 狗 都 很 快乐 。

A tree transducer (Rounds, 1970) walks the English tree from the top and writes the Chinese words. Word order and
features differ between the two languages:

    what modifies a noun         comes first, with 的: [relative clause | place] 的 + determiner + measure word +
                                 adjective (的) + noun; a remark in brackets stays behind the noun
    the measure word             is the noun's: 位 for a king, 条 for a dog; it follows 那, 这, 一 and 每
    every                        每 …, and 都 before the predicate if the noun is the subject
    where, with whom             stands before the verb: 在 X 附近 睡觉, and before a noun: X 附近 的 …

No two of 50,844 distinct English sentences, from 60,000 draws, had the same Chinese one. chart.py judges Chinese.
"""

from typing import NamedTuple

from numpylm.data.grammar import derivation

# English / its plural, Chinese, pinyin by syllables, and a noun's measure word. "-" where no one English word stands.
LEXICON = """
king/kings 国王 guó-wáng 位          queen/queens 女王 nǚ-wáng 位         child/children 孩子 hái-zi 个
farmer/farmers 农夫 nóng-fū 个       cat/cats 猫 māo 只                   dog/dogs 狗 gǒu 条
woman/women 女人 nǚ-rén 个           mouse/mice 老鼠 lǎo-shǔ 只           man/men 男人 nán-rén 个
baker/bakers 面包师 miàn-bāo-shī 个  wolf/wolves 狼 láng 匹               sailor/sailors 水手 shuǐ-shǒu 名
goose/geese 鹅 é 只                  poet/poets 诗人 shī-rén 位           knight/knights 骑士 qí-shì 名
giant/giants 巨人 jù-rén 个          friend/friends 朋友 péng-you -       cousin/cousins 表亲 biǎo-qīn -
guest/guests 客人 kè-rén -
sleeps/sleep 睡觉 shuì-jiào - sings/sing 唱歌 chàng-gē -    smiles/smile 微笑 wēi-xiào -  dances/dance 跳舞 tiào-wǔ -
waits/wait 等待 děng-dài -    laughs/laugh 大笑 dà-xiào -   dreams/dream 做梦 zuò-mèng -  sees/see 看见 kàn-jiàn -
loves/love 爱 ài -            knows/know 认识 rèn-shi -     hears/hear 听见 tīng-jiàn -   follows/follow 跟随 gēn-suí -
helps/help 帮助 bāng-zhù -    likes/like 喜欢 xǐ-huan -     fears/fear 害怕 hài-pà -      says/say 说 shuō -
small 小 xiǎo -         happy 快乐 kuài-lè -    young 年轻 nián-qīng -  clever 聪明 cōng-míng - quiet 安静 ān-jìng -
brave 勇敢 yǒng-gǎn -   tired 疲倦 pí-juàn -    proud 骄傲 jiāo-ào -    gentle 温柔 wēn-róu -   hungry 饥饿 jī-è -
a 一 yī -               every 每 měi -          this 这 zhè -           many 许多 xǔ-duō -      these 这些 zhè-xiē -
some 一些 yī-xiē -      few 少数 shǎo-shù -     near 附近 fù-jìn -      behind 后面 hòu-mian -  beside 旁边 páng-biān -
- 那 nà -           - 那些 nà-xiē -     - 的 de -           - 都 dōu -          - 很 hěn -          - 在 zài -
- 和 hé -           - 一起 yī-qǐ -      - 在一起 zài-yī-qǐ - - 没有 méi-yǒu -    - 身边 shēn-biān -  - 陪伴 péi-bàn -
- 下 xià -          - 个 gè -           - 位 wèi -          - 只 zhī -          - 条 tiáo -         - 匹 pǐ -
- 名 míng -         - 们 men -          - 饿 è -            - 。 . -            - ， , -            - “ " -
- ” " -             - （ ( -            - ） ) -
"""

ENTRIES = list(zip(*[iter(LEXICON.split())] * 4, strict=True))
CHINESE = {word: chinese for english, chinese, _, _ in ENTRIES for word in english.split("/") if word != "-"}
MEASURES = {chinese: measure for _, chinese, _, measure in ENTRIES if measure != "-"}  # of a noun
PINYIN = {chinese: pinyin for _, chinese, pinyin, _ in ENTRIES}
SYLLABLES = {one: pinyin for word in PINYIN for one, pinyin in zip(word, PINYIN[word].split("-"), strict=True)}
PLURALS = {english.split("/")[-1] for english, _, _, _ in ENTRIES if "/" in english}

# A preposition and its noun, {}: before the noun that they modify, and before a verb.
PLACES = {
    "with": ("和 {} 在一起 的", "和 {} 一起"),
    "without": ("身边 没有 {} 的", "在 没有 {} 的 陪伴 下"),
    **{word: (f"{{}} {CHINESE[word]} 的", f"在 {{}} {CHINESE[word]}") for word in ("near", "behind", "beside")},
}


class Node(NamedTuple):
    """A node of the English tree: a nonterminal and what it became, Nodes and words."""

    symbol: str
    children: list


def translate(english):
    """The Chinese words for the words of one English sentence. Raises ValueError if ENGLISH does not generate it."""
    steps = iter(derivation(english)[0])
    return sentence(tree(steps).children)


def tree(steps):
    """The Node (or word) of the next steps of a leftmost derivation."""
    symbol, rule = next(steps)
    return symbol if rule is None else Node(symbol, [tree(steps) for _ in rule.symbols])


def sentence(children):
    """Sentence -> Clause .  |  " Clause , " Speaker ."""
    if children[0] != '"':
        return [*clause(children[0]), "。"]
    _, quoted, _, _, speaker, _ = children
    verb, *noun = parts(speaker)
    return ["“", *clause(quoted), "，", "”", *subject(noun), CHINESE[verb], "。"]


def clause(node):
    """A subject and its predicate; of a Gapped, whose object is the noun before "that", a subject and its verb."""
    *noun, last = parts(node)
    return [*subject(noun), *predicate(last)]


def subject(children):
    """A noun phrase before its predicate: 每 … is followed by 都."""
    words = noun_phrase(children)
    return [*words, "都"] if children[0] == "every" else words


def predicate(node):
    """[where] verb, verb object, or 很 adjective; or a transitive verb alone."""
    if node.symbol.startswith("Verb_transitive"):
        return [CHINESE[word_of(node)]]
    verb, last = node.children
    if verb.symbol.startswith("Verb_be"):
        adjective = word_of(last)
        return ["很", "饿" if adjective == "hungry" else CHINESE[adjective]]
    if verb.symbol.startswith("Verb_intransitive"):
        return [*place(last.children, before_verb=True), CHINESE[word_of(verb)]]
    return [*predicate(verb), *noun_phrase(parts(last))]


def noun_phrase(children):
    """Determiner, adjective, noun and at most one modifier, as `parts` lists them, in the order of Chinese."""
    determiner, adjective, noun, modifier = (*children, None)[:4]
    before, after = modifiers(modifier.children) if modifier else ([], [])
    return [*before, *determined(determiner, noun), *attribute(adjective.children), CHINESE[noun], *after]


def determined(determiner, noun):
    """The Chinese determiner, in the singular with the noun's measure word."""
    plural = noun in PLURALS
    chinese = ("那些" if plural else "那") if determiner == "the" else CHINESE[determiner]
    return [chinese] if plural else [chinese, MEASURES[CHINESE[noun]]]


def attribute(description):
    """An adjective before its noun: 小, or another one with 的; nothing if there is none."""
    if not description:
        return []
    adjective = word_of(description[0])
    return [CHINESE[adjective]] if adjective == "small" else [CHINESE[adjective], "的"]


def modifiers(children):
    """(the words before the determiner, the words after the noun) of a Modifier_… or a Place."""
    if children[:1] == ["("]:  # ( a friend of X ) or ( friends of X )
        *_, relation, _, owner, _ = children
        word = word_of(relation)
        owned = [CHINESE[word], "们"] if word in PLURALS else ["一", "个", CHINESE[word]]
        return [], ["（", *noun_phrase(parts(owner)), "的", *owned, "）"]
    if children[:1] == ["that"]:
        (inner,) = children[1].children
        return [*(predicate if inner.symbol.startswith("Predicate") else clause)(inner), "的"], []
    return place(children), []


def place(children, before_verb=False):
    """A preposition and its noun; nothing if the English place is empty."""
    if not children:
        return []
    pattern = PLACES[word_of(children[0])][before_verb]
    return pattern.format(" ".join(noun_phrase(parts(children[1])))).split()


SPLIT = ("Speaker", "Clause", "Gapped", "Object", "Companion")  # their parts are a noun phrase and what follows it


def parts(node):
    """The words of a noun phrase's determiner and noun, and the Nodes beside them, left to right."""
    if isinstance(node, str) or node.symbol.startswith(("Noun", "Determiner", "Article")):
        return [word_of(node)]
    if not node.symbol.startswith(SPLIT):
        return [node]
    return [part for child in node.children for part in parts(child)]


def word_of(node):
    """The only word below a node."""
    while not isinstance(node, str):
        (node,) = node.children
    return node
