"""Which size of a network a name means. It runs in the child process too."""

import re

SIZES = {"T": 4, "N": 1, "D": 3, "V": 6, "H": 5}  # of what the check makes
NAMES = {  # the first of these that a name holds, in lower case and without underscores
    "T": r"seq|step|len$|length|trunc|bptt|^tx?$",
    "N": r"batch|^bs$|^n$",
    "D": r"emb",
    "V": r"vocab|in(p|put)?(s|num|dim|width|size|shape|unit|node|neuron|feat|layer|$)|(?<!drop)out|class|feature|word"
    r"|char|letter|^n?(in|[xyiovdwk])(dim|size|sz|n)?$|data|dict",
    "H": r"hid|middle|sizelayer|rnn|lstm|gru|block|neuron|unit|node|state|cell|mem|^m$|^n?[ha](dim|size|sz|s|n)?$|dim$"
    r"|size$",
}
SAYS_SO = (
    r"size|sz$|dim|width|layer|num|unit|neuron|node|count|len|steps|shape|features|classes|trunc|^no_|^n_|^n[a-z]$|^n(in|out|hid|seq)"
    r"|^[a-z]_n$|^[TNDVHIO]$"
)


def size_of(name, is_size=False):
    """The size, T, N, D, V or H, that a name means; "" for none. is_size: whether it can be nothing else."""
    if not is_size and not re.search(SAYS_SO, name if len(name) == 1 else name.lower()):
        return ""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((size for size, names in NAMES.items() if re.search(names, plain)), "")
