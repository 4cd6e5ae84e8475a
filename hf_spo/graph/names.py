"""Names of nodes: which mentions belong to the same node."""

from unicodedata import normalize

from ..support.safe_text import one_line

# NFKC has replaced the full-width forms.
_PAIRS = ("《》", "〈〉", "「」", "『』", "“”", "‘’", '""', "''", "«»")


def normalised(text: str) -> str:
    """Return the normalised name; mentions with the same normalised name and type belong to one node.

    The name is brought to NFKC and case-folded (１９９８ → 1998, IBM → ibm), white space becomes single spaces, and
    quotation or book title marks that enclose it are removed: 《海边》 → 海边, but 《海边》与《雪国》 is unchanged.
    """
    # NFKC and case folding can each undo the other; this sequence is stable (Unicode, toNFKC_Casefold).
    folded = normalize("NFKC", normalize("NFKC", normalize("NFD", text).casefold()).casefold())
    return without_marks(one_line(folded))


def without_marks(text: str) -> str:
    """Remove quotation or book title marks around the whole name."""
    while len(text) > 2:
        inner = text[1:-1]
        pair = text[0] + text[-1]
        if pair not in _PAIRS or text[0] in inner or text[-1] in inner or not inner.strip():
            return text
        text = inner.strip()
    return text


def node_id(type_: str, key: str) -> str:
    """Return an identifier that is unique for a type and a key, such as 人物:白露."""
    return f"{type_.replace('%', '%25').replace(':', '%3A')}:{key}"
