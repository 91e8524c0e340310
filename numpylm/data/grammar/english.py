"""The grammar of the built-in corpus: small enough to read, and its entropy is known exactly.

A sentence is one line; its words, and its punctuation marks too, stand apart by spaces; its end counts as one word,
`<eos>`, written as a newline. No model can beat these numbers on endless text (`numpylm.data.grammar` computes
them; on a finite text the grammar's own loss varies a little):

    102 words and <eos>; a sentence has 11.53 words, 49.29 characters and 22.61 nats on average
    floor perplexity 7.101 per word (1.960 nats), 1.582 per character (0.662 bits)
    for comparison, 52.8 per word for a model that knows the frequencies of the words and nothing else

A verb agrees in number with a noun before it, across prepositional phrases, brackets and nested relative clauses.
How far back that noun stands, in per cent of all such verbs (`numpylm.data.grammar.agreement` finds the pairs):

    words back   1     2    3-4   5-9  10-19   20+
    verbs      48.0  14.3  12.5  18.3    6.4   0.5

Names end in _sg and _pl for singular and plural. `numpylm.data.grammar.rules` explains the notation.
"""

from numpylm.data.grammar.rules import parse_rules

RULES = """
Sentence -> 84 Clause . | 16 " Clause , " Speaker .
Speaker  -> 60 says Article_sg Description Noun_sg | 40 say Article_pl Description Noun_pl

# A clause: a subject, what modifies it, and a predicate that agrees with the subject in number.
Clause     -> 50 the Description Clause_any | 30 Determiner_sg Description Clause_sg
            | 20 Determiner_pl Description Clause_pl
Clause_any -> 60 Clause_sg | 40 Clause_pl
Clause_sg  -> 1 Noun_sg Modifier_sg Predicate_sg
Clause_pl  -> 1 Noun_pl Modifier_pl Predicate_pl

# The same without the object, which is the noun before "that": the king that [ the cats near a dog see ].
Gapped     -> 50 the Description Gapped_any | 30 Determiner_sg Description Gapped_sg
            | 20 Determiner_pl Description Gapped_pl
Gapped_any -> 60 Gapped_sg | 40 Gapped_pl
Gapped_sg  -> 1 Noun_sg Modifier_sg Verb_transitive_sg
Gapped_pl  -> 1 Noun_pl Modifier_pl Verb_transitive_pl

# An object: nothing after it agrees with it.
Object     -> 50 the Description Object_any | 30 Determiner_sg Description Object_sg
            | 20 Determiner_pl Description Object_pl
Object_any -> 60 Object_sg | 40 Object_pl
Object_sg  -> 1 Noun_sg Modifier_sg
Object_pl  -> 1 Noun_pl Modifier_pl

# A noun has at most one modifier: a preposition and its noun, a relative clause, or a remark in brackets.
Modifier_sg -> 56 | 18 Preposition Companion | 18 that Relative_sg | 8 ( a Relation_sg of Object )
Modifier_pl -> 56 | 18 Preposition Companion | 18 that Relative_pl | 8 ( Relation_pl of Object )
Relative_sg -> 60 Predicate_sg | 40 Gapped
Relative_pl -> 60 Predicate_pl | 40 Gapped

# The noun of a preposition, which can only be followed by another preposition.
Companion -> 50 the Description Noun_any Place | 30 Determiner_sg Description Noun_sg Place
           | 20 Determiner_pl Description Noun_pl Place
Place     -> 70 | 30 Preposition Companion

Predicate_sg -> 40 Verb_intransitive_sg Place | 40 Verb_transitive_sg Object | 20 Verb_be_sg Adjective
Predicate_pl -> 40 Verb_intransitive_pl Place | 40 Verb_transitive_pl Object | 20 Verb_be_pl Adjective

# The words.
Article_sg    -> 70 the | 30 Determiner_sg
Article_pl    -> 70 the | 30 Determiner_pl
Determiner_sg -> 60 a | 25 every | 15 this
Determiner_pl -> 40 many | 30 these | 20 some | 10 few
Description   -> 75 | 25 Adjective
Adjective     -> 20 small | 16 happy | 13 young | 11 clever | 9 quiet
               | 8 brave | 7 tired | 6 proud | 5 gentle | 5 hungry
Preposition   -> 40 near | 25 with | 15 behind | 12 beside | 8 without
Relation_sg   -> 50 friend | 30 cousin | 20 guest
Relation_pl   -> 50 friends | 30 cousins | 20 guests
Noun_any      -> 60 Noun_sg | 40 Noun_pl
Noun_sg -> 20 king | 16 queen | 13 child | 11 farmer | 10 cat | 9 dog | 8 woman | 7 mouse
         | 6 man | 6 baker | 5 wolf | 5 sailor | 4 goose | 4 poet | 4 knight | 3 giant
Noun_pl -> 20 kings | 16 queens | 13 children | 11 farmers | 10 cats | 9 dogs | 8 women | 7 mice
         | 6 men | 6 bakers | 5 wolves | 5 sailors | 4 geese | 4 poets | 4 knights | 3 giants
Verb_be_sg -> 1 is
Verb_be_pl -> 1 are
Verb_intransitive_sg -> 24 sleeps | 18 sings | 14 smiles | 12 dances | 10 waits | 8 laughs | 6 dreams
Verb_intransitive_pl -> 24 sleep | 18 sing | 14 smile | 12 dance | 10 wait | 8 laugh | 6 dream
Verb_transitive_sg -> 22 sees | 17 loves | 13 knows | 11 hears | 9 follows | 8 helps | 7 likes | 6 fears
Verb_transitive_pl -> 22 see | 17 love | 13 know | 11 hear | 9 follow | 8 help | 7 like | 6 fear
"""

ENGLISH = parse_rules(RULES)
