"""The Chinese partner of the built-in English grammar: each derivation of ENGLISH gives one Chinese sentence.

    the cat that the king sees sleeps .        那 位 国王 看见 的 那 只 猫 睡觉 。
    every dog near a queen is happy .          一 位 女王 附近 的 每 条 狗 都 很 快乐 。

A top-down transducer (Rounds, 1970) reads an English sentence as ENGLISH derives it, a function for each kind of
phrase, and writes the Chinese words. Word order and features differ between the two languages:

    what modifies a noun         comes first, with 的: [relative clause | place] 的 + determiner + measure word +
                                 adjective (的) + noun; a remark in brackets stays behind the noun
    the measure word             is the noun's: 位 for a king, 条 for a dog; it follows 那, 这, 一 and 每
    every                        每 …, and 都 before the predicate if the noun is the subject
    where, with whom             stands before the verb: 在 X 附近 睡觉, and before a noun: X 附近 的 …

No two of 50,844 distinct English sentences, from 60,000 draws, had the same Chinese one. chart.py judges Chinese.
"""

from numpylm.data.grammar import derivation
from numpylm.data.grammar.agreement import VERBS, forms
from numpylm.data.grammar.english import ENGLISH

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

ADJECTIVES = {rule.symbols[0] for rule in ENGLISH.rules["Adjective"]}
INTRANSITIVE = {verb for pair in forms("Verb_intransitive") for verb in pair}

# A preposition and its noun, {}: before the noun that they modify, and before a verb.
PLACES = {
    "with": ("和 {} 在一起 的", "和 {} 一起"),
    "without": ("身边 没有 {} 的", "在 没有 {} 的 陪伴 下"),
    **{word: (f"{{}} {CHINESE[word]} 的", f"在 {{}} {CHINESE[word]}") for word in ("near", "behind", "beside")},
}


def translate(english):
    """The Chinese words for the words of one English sentence. Raises ValueError if ENGLISH does not generate it."""
    derivation(english)
    words = [*reversed(english)]  # each function takes the words of its phrase from the end
    if words[-1] != '"':
        return [*clause(words), "。"]
    words.pop()
    quoted = clause(words)
    del words[-2:]  # , "
    verb = words.pop()
    return ["“", *quoted, "，", "”", *subject(words), CHINESE[verb], "。"]


def clause(words):
    """A subject and its predicate."""
    return [*subject(words), *predicate(words)]


def subject(words):
    """A noun phrase before its predicate: 每 … is followed by 都."""
    every = words[-1] == "every"
    return [*noun_phrase(words), *(["都"] if every else [])]


def predicate(words):
    """[where] verb, verb object, or 很 adjective."""
    verb = words.pop()
    if verb in ("is", "are"):
        adjective = words.pop()
        return ["很", "饿" if adjective == "hungry" else CHINESE[adjective]]
    if verb in INTRANSITIVE:
        return [*place(words, before_verb=True), CHINESE[verb]]
    return [CHINESE[verb], *noun_phrase(words)]


def noun_phrase(words):
    """Determiner, adjective, noun and at most one modifier, in the order of Chinese."""
    determiner = words.pop()
    adjective = words.pop() if words[-1] in ADJECTIVES else None
    noun = words.pop()
    the, measure = ("那些", []) if noun in PLURALS else ("那", [MEASURES[CHINESE[noun]]])
    determined = [the if determiner == "the" else CHINESE[determiner], *measure]
    if adjective:
        determined += ["小"] if adjective == "small" else [CHINESE[adjective], "的"]
    before, after = modifier(words)
    return [*before, *determined, CHINESE[noun], *after]


def modifier(words):
    """(the words before the determiner, the words after the noun) of what follows a noun."""
    if words[-1] == "that":
        words.pop()
        if any(words[-1] in pair for pair in VERBS):
            return [*predicate(words), "的"], []
        return [*subject(words), CHINESE[words.pop()], "的"], []  # the object is the noun before "that"
    if words[-1] == "(":
        return [], remark(words)
    return place(words), []


def remark(words):
    """The words in brackets: ( a friend of X ) or ( friends of X )."""
    while words[-1] in ("(", "a"):
        words.pop()
    relation = words.pop()
    words.pop()  # of
    owner = noun_phrase(words)
    words.pop()  # )
    owned = [CHINESE[relation], "们"] if relation in PLURALS else ["一", "个", CHINESE[relation]]
    return ["（", *owner, "的", *owned, "）"]


def place(words, before_verb=False):
    """A preposition and its noun; nothing if there is none."""
    if words[-1] not in PLACES:
        return []
    pattern = PLACES[words.pop()][before_verb]
    return pattern.format(" ".join(noun_phrase(words))).split()
