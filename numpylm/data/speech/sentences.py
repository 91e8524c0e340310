"""What the synthesiser says: telephone numbers of a known plan, alarms and appointments, from a grammar in LL(1) form.

The grammar's entropy is known exactly (numpylm.data.grammar.entropy), and it is much less than the uniform one: numbers
begin with an area code of the plan, months have their names after `of`. So a language model can correct what was heard.
"""

import numpy as np

from numpylm.data.grammar import generate_text
from numpylm.data.grammar.rules import parse_rules
from numpylm.data.speech.synthesizer import draw_voice, speak

RULES = """
Sentence -> 45 call Number | 30 wake me at Time Day | 25 meet Name on the Ordinal of Month
Number   -> 85 oh Area Digit Digit Digit | 10 nine nine nine | 5 one one two
Area     -> 50 two oh Exchange | 30 one six one | 20 seven seven
Exchange -> 50 seven | 30 eight | 20 three
Digit    -> 1 oh | 1 one | 1 two | 1 three | 1 four | 1 five | 1 six | 1 seven | 1 eight | 1 nine
Time     -> 1 Hour Minutes
Hour     -> 25 six | 30 seven | 20 eight | 10 nine | 5 ten | 5 eleven | 5 twelve
Minutes  -> 40 | 15 fifteen | 30 thirty | 15 forty Five
Five     -> 60 | 40 five
Day      -> 50 | 20 today | 30 tomorrow
Name     -> 35 anna | 25 ben | 20 clara | 20 simon
Ordinal  -> 1 first | 1 second | 1 third | 1 fourth | 1 fifth | 1 sixth | 1 seventh | 1 ninth
Month    -> 40 may | 30 june | 20 march | 10 august
"""

GRAMMAR = parse_rules(RULES)

PRONUNCIATIONS = """
oh ao uw|one w ah n|two t uw|three th r iy|four f ao r|five f aa iy v|six s ih k s|seven s eh v ah n|eight eh iy t
nine n aa iy n|ten t eh n|eleven ih l eh v ah n|twelve t w eh l v|fifteen f ih f t iy n|thirty th er t iy
forty f ao r t iy|call k ao l|wake w eh iy k|me m iy|at ae t|today t uw d eh iy|tomorrow t uw m aa r ao uw
meet m iy t|anna ae n ah|ben b eh n|clara k l eh r ah|simon s aa iy m ah n|on aa n|the z ah|of ah v
first f er s t|second s eh k ah n d|third th er d|fourth f ao r th|fifth f ih f th|sixth s ih k s th
seventh s eh v ah n th|ninth n aa iy n th|may m eh iy|june d z uw n|march m aa r t sh|august ao g ah s t
"""  # a word and its sounds, of synthesizer.SOUNDS; words are apart by |
PRONUNCIATIONS = {
    word: sounds for word, *sounds in (entry.split() for entry in PRONUNCIATIONS.strip().replace("\n", "|").split("|"))
}


def spoken_sentences(count, seed):
    """(transcripts, sounds): `count` different drawings of the grammar, each spoken by a new random voice."""
    transcripts = generate_text(20 * count, seed, GRAMMAR).split("\n")[:count]
    rng = np.random.default_rng([seed, 1])
    spoken = ([PRONUNCIATIONS[word] for word in transcript.split()] for transcript in transcripts)
    return transcripts, [speak(words, draw_voice(rng), rng) for words in spoken]
