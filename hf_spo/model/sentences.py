"""Find sentence ends and word borders in any script, by rules, in the text's own offsets.

Only certain ends count. A full stop after an abbreviation or an initial, before a lower-case letter or after a short
number does not end a sentence; neither does a single line feed. A missed end joins two sentences in one window, which
costs little; a false end separates the mentions of a triple.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

_CLOSING = r"""["'”’»›」』）)\]】》〉]*"""
_STOP = re.compile(
    # Unambiguous stops: CJK and half-width, Arabic and Urdu, Devanagari, Armenian, Ethiopic, Burmese, Khmer.
    rf"(?P<full>[。！？｡۔؟।॥։።፧။។៕‼⁇⁈⁉]+[!?…]*{_CLOSING})"
    rf"|(?P<ellipsis>(?:…|\.{{3}})[.…!?]*{_CLOSING})"
    # In an address (a.org/?q=1) a letter or a sign follows.
    rf"|(?P<mark>[!?]+{_CLOSING}(?![A-Za-z0-9=&/%#._-]))"
    rf"|(?P<dot>\.{_CLOSING}(?=\s|$))"
    r"|(?P<paragraph>(?>\r\n|[\n\r\x85\u2028])[^\S\n\r\x85\u2028\u2029]*[\n\r\x85\u2028]\s*|\u2029\s*)"
)
_FOLLOWING = re.compile(r"""\s*["'“‘«‹「『（(\[【《〈]*(\S?)""")
_WORD_BEFORE = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f])+$")
_NUMBER_BEFORE = re.compile(r"(?<![\d.,])\d{1,2}$")

# Abbreviations that are usually followed by more of their sentence. Single letters (J., U.S., z. B., т. д.) need no
# entry.
_ABBREVIATIONS_BY_LANGUAGE = {
    "en": "dr mr mrs ms prof st inc ltd co corp jr sr vs etc no vol fig figs approx dept gen col sgt capt lt maj adm"
    " rev hon gov sen rep pres mt ft ave blvd rd jan feb mar apr jun jul aug sep sept oct nov dec cf al pp ed eds est",
    "de": "bzw usw ca nr str hr fr geb gest jh abs vgl sog ggf inkl zzgl evtl bspw mio mrd dipl ing prof stv",
    "fr": "mme mlle mm av env art éd cie sté",
    "es, pt, it": "sra srta dña ud uds ee uu pág núm dra exmo sig sigg dott avv pag",
    "nl, da, sv, no": "dhr mevr bijv blz drs mv kl dvs osv",
    "pl, cs": "np tzn itd itp ul św inż mgr tzw dyr woj např tj",
    "ru, uk, bg": "гг вв др пр ул обл руб тыс млн млрд им род ум см стр проф акад рис пер просп ст",
}
_ABBREVIATIONS = {word for words in _ABBREVIATIONS_BY_LANGUAGE.values() for word in words.split()}

_JOINING = "'’\u200c\u200d"


def sentence_ends(text: str, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Yield the position after each certain sentence end in `text[start:end]`, closing quotes and brackets included."""
    # A text without any capital letter, such as lower-cased text, gives no hint by lower-case letters.
    cased = cache(lambda: any(map(str.isupper, text)))
    for stop in _STOP.finditer(text, start, len(text) if end is None else end):
        kind = stop.lastgroup
        if kind in ("full", "paragraph") or not _goes_on(text, stop, cased):
            yield stop.end()


def _goes_on(text: str, stop: re.Match[str], cased: Callable[[], bool]) -> bool:
    """Tell whether the sentence may go on after a stop."""
    # In text whose tokens are joined by spaces, a full stop stands apart.
    apart = stop.lastgroup != "ellipsis" and text[stop.start() - 1 : stop.start()].isspace()
    following = _FOLLOWING.match(text, stop.end())
    if not apart and following is not None and following[1].islower() and cased():
        return True
    if stop.lastgroup != "dot":
        return False
    before = text[max(0, stop.start() - 24) : stop.start()].rstrip()
    word = _WORD_BEFORE.search(before)
    if word is not None:
        last = word[0].casefold()
        if len(last) == 1:
            return not _is_ideographic(last)
        return not apart and (last in _ABBREVIATIONS or last.endswith("str"))  # Hauptstr.
    return not apart and _NUMBER_BEFORE.search(before) is not None  # am 3. Oktober


def inside_words(text: str) -> list[bool]:
    """Tell for each position from 0 to `len(text)` whether a word goes on across it.

    A word is a run of letters, digits and marks of a script that puts spaces between words (Unicode Standard Annex 29);
    between ideographs and kana a text may be cut anywhere.
    """
    word = [_is_word_character(character) for character in text]
    inside = [False] * (len(text) + 1)
    for index in range(1, len(text)):
        joined = text[index] in _JOINING and index + 1 < len(text) and word[index + 1]
        inside[index] = word[index - 1] and (word[index] or joined)
        if text[index - 1] in _JOINING and index > 1:
            inside[index] = word[index - 2] and word[index]
        # A mark belongs to what stands before it, whatever that is.
        inside[index] = inside[index] or unicodedata.category(text[index])[0] == "M"
    return inside


def _is_word_character(character: str) -> bool:
    return (character.isalnum() or unicodedata.category(character)[0] == "M") and not _is_ideographic(character)


def _is_ideographic(character: str) -> bool:
    return (
        "\u3040" <= character <= "\u30ff"  # kana
        or "\u3400" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or "\U00020000" <= character <= "\U0003ffff"
    )
