"""Text from a file or a program, made safe to print: a terminal obeys control characters, so we show them instead."""

CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}  # C0, DEL and C1
CONTROLS |= {code: f"\\u{code:04x}" for code in range(0xD800, 0xE000)}  # surrogates, as of a bad file name's bytes
KEPT = {ord("\t"): "\t", ord("\n"): "\n"}
ONE_LINE = CONTROLS | {ord("\t"): r"\t", ord("\n"): r"\n", ord("\r"): r"\r"}


def printable(text):
    r"""The text with every control character but tab and newline written out: the escape character as \x1b."""
    return str(text).translate(CONTROLS | KEPT)


def on_one_line(text):
    r"""The same for what must stay on one line: tab and newline are written out too, as \t and \n."""
    return str(text).translate(ONE_LINE)


def visible(token):
    """A token as it can be read: spaces, line ends and control characters as Python writes them."""
    return token if token.isprintable() and not token.isspace() else repr(token)
