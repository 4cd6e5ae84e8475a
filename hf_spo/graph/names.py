"""Names of nodes: which mentions belong to the same node."""

from unicodedata import normalize

from ..support.safe_text import one_line

# After NFKC, which leaves none of the full-width forms.
_PAIRS = ("《》", "〈〉", "「」", "『』", "“”", "‘’", '""', "''", "«»")


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
