"""Names of nodes: which mentions are of the same, and what every file format can hold."""

from unicodedata import normalize

# What has no place in XML, HTML or UTF-8, one for one, so that offsets stay right. \r would come back from XML as \n.
_UNWRITABLE = {
    **dict.fromkeys({*range(32), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF} - {*b"\t\n"}, "\ufffd"),
    0x0D: "\n",
}
# After NFKC, which leaves none of the full-width forms.
_PAIRS = ("《》", "〈〉", "「」", "『』", "“”", "‘’", '""', "''", "«»")


def writable(text: str) -> str:
    """Return a text that every format can hold, of the same length: control characters and surrogates as U+FFFD."""
    return text.translate(_UNWRITABLE)


def one_line(text: str) -> str:
    """Return a name as it is shown: writable, each run of white space a single space, none around it."""
    return writable(" ".join(text.split()))


def normalised(text: str) -> str:
    """Return what the names of one node have in common.

    That is the name in NFKC and without case (１９９８ is 1998, IBM is ibm), with single spaces, and without quotation
    or book title marks that enclose all of it: 《海边》 is 海边, but 《海边》与《雪国》 stays as it is.
    """
    # Case folding may undo NFKC and the other way round; this order of them is stable (Unicode, toNFKC_Casefold).
    folded = normalize("NFKC", normalize("NFKC", normalize("NFD", text).casefold()).casefold())
    return without_marks(one_line(folded))


def without_marks(text: str) -> str:
    """Return a name without quotation or book title marks that enclose all of it."""
    while len(text) > 2:
        inner = text[1:-1]
        pair = text[0] + text[-1]
        if pair not in _PAIRS or text[0] in inner or text[-1] in inner or not inner.strip():
            return text
        text = inner.strip()
    return text


def node_id(type_: str, key: str) -> str:
    """Return a name that no other type and key have, such as 人物:白露."""
    return f"{type_.replace('%', '%25').replace(':', '%3A')}:{key}"
