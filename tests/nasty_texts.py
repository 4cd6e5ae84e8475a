"""Texts that break things, and the one thing that must hold of whatever is found in them."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from hf_spo.model.alignment import pad
from hf_spo.model.fields import json_line
from tests.builders import SENTENCES, any_text

_FACT = "歌曲《晚风》由白露演唱"
_SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2003\u2007\u200a\u2028\u2029\u202f\u205f\u3000"
_FORMAT = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2069\u202a\u202b\u202c\u202d\u202e\ufeff\U000e0001"

NASTY: dict[str, str] = {
    "empty": "",
    "one space": " ",
    "spaces of every kind": _SPACES * 3,
    "nothing that is seen": _FORMAT * 3,
    "format characters between": _FORMAT.join(_FACT),
    "spaces between": "".join(f"{character}{_SPACES[at % len(_SPACES)]}" for at, character in enumerate(_FACT)),
    "NUL": f"\x00{_FACT[:6]}\x00{_FACT[6:]}\x00",
    "control characters": "".join(f"{character}{chr(at % 32)}" for at, character in enumerate(_FACT * 3)),
    "escape sequences": f"\x1b[2J\x1b]0;title\x07{_FACT}\x9b1m",
    "a lone high surrogate": f"\ud83d{_FACT}",
    "a lone low surrogate": f"{_FACT}\ude00",
    "surrogates in the wrong order": f"晚\ude00\ud83d风 {_FACT}",
    "surrogates alone": "\ud800\udfff" * 40,
    "what surrogateescape makes of bytes": "\udcff\udcfe白露\udc80",
    "emoji with joiners": f"👨\u200d👩\u200d👧\u200d👦{_FACT}👩🏽\u200d🚀❤\ufe0f\u200d🔥",
    "flags": f"🇩🇪🇨🇳🇺{_FACT}🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "keycaps": "1\ufe0f\u20e32\ufe0f\u20e3 白露 #\ufe0f\u20e3",
    "marks first": f"\u0301\u0308\u0323{_FACT}\u0301",
    "Zalgo": "".join(character + "\u0300\u0315\u0334\u035c\u0489\u20dd" * 8 for character in _FACT),
    "a thousand marks": "白" + "\u0301" * 1000 + "露",
    "marks alone": "\u0301\u0300\u20dd\ufe0f" * 30,
    "jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af \u1112\u1112\u1161\u1161\u11ab\u11ab \ud800\ua960\ud7b0",
    "half-width kana": "ｶﾞｷﾞｸﾞﾊﾟ ﾞﾟ東京",
    "right to left": "\u202eעברית ועוד\u202c العربية السَّلَام 晚风 123 \u2067abc\u2069",
    "Indic and Thai": "क्षि नि கௌ ที่นี่ น้ำ ກໍາ ᩈ᩠ᨾ",
    "bidi overrides": f"\u202e{_FACT}\u202d{_FACT}\u202c\u2066",
    "byte order marks": f"\ufeff{_FACT}\ufeff\ufffe",
    "CRLF": f"{_FACT}\r\n{_FACT}\r{_FACT}\n\r{_FACT}",
    "line and paragraph separators": f"{_FACT}\u2028{_FACT}\u2029{_FACT}\x85{_FACT}\x0b{_FACT}",
    "private use": f"\ue000{_FACT}\uf8ff\U000f0000\U0010fffd",
    "no characters": f"\ufffe\uffff{_FACT}\ufdd0\U0001ffff\U0010ffff",
    "the replacement character": f"\ufffd{_FACT}\ufffd\ufffd",
    "unknown characters alone": "谥琏彧𰻞𪚥" * 30,
    "unknown characters between": "谥".join(_FACT),
    "ideographs outside the plane": "𠮷野家𠀀𠀁由𰻞演唱",
    "variation selectors": "葛\U000e0100城 辻\U000e0101 ︎︎",
    "special tokens of one convention": "[CLS]白露[SEP] [MASK] [PAD][UNK] ##na ##",
    "special tokens of the other": "<s>白露</s><pad><unk><mask> ▁An▁ Ġblue Ċ",
    "special tokens alone": "[SEP]" * 50,
    "what changes its length in lower case": "İSTANBUL ŉ ẞ ﬁ Σς ΐ ǰ İ\u0307" * 4,
    "what normalisation makes longer": "ﷺ ㍿ ㌀ ½ ﬃ Ⅷ ℡ ㏂ ϓ",
    "what normalisation reorders": "e\u0301\u0323 e\u0323\u0301 \u1e69 s\u0323\u0307 Å Å \u212b",
    "quotes": "\"'`“”‘’«»「」『』\\\"\\' 《晚风》",
    "markup": f"<script>alert('{_FACT}')</script>&lt;&#x27;&amp;<!-- --><b>《晚风》</b>]]>",
    "JSON": json.dumps({"text": _FACT, "triples": [{"subject": "白露"}]}) + '\\u0000\\ud800{"a":[',
    "a format string": "%s %n {0} {} {_FACT!r} ${HOME} $(id) `id` {{}} %00 ../../etc/passwd",
    "a table": f"{_FACT}\t白露\t1998\r\n=cmd|' /C calc'!A0\t+1\t-1\t@x",
    "one character": "白",
    "one half of a bracket": "《",
    "brackets": "《" * 60 + "晚风" + "》" * 60,
    "digits of every kind": "１９９８ ١٩٩٨ १९९८ 𝟏𝟗𝟗𝟖 ①②③ 二〇一〇年",
    "one very long word": "abcdefghij" * 300,
    "one very long word of no letters": "=-" * 1500,
    "a very long mention": "《" + "晚风" * 400 + "》由白露演唱",
    "one mention many times": "《晚风》" * 300,
    "a long text without a space": "歌曲由白露演唱成立于苏州" * 200,
    "a long text of spaces and a word": " " * 3000 + "白露" + "\u3000" * 3000,
    "a long text of sentences": f"{_FACT}。" * 150,
    "line breaks alone": "\n" * 500,
    "full stops alone": "。" * 500,
}
"""By what is the matter with them; none takes long."""

LARGE: dict[str, str] = {
    "a million characters without a space": "歌曲由白露演唱成立于苏" * 90_910,
    "a million characters with spaces": f"{_FACT} Anna Lind " * 45_455,
    "a million letters": "a" * 1_000_000,
    "a million spaces": " " * 1_000_000,
    "a million marks": "白" + "\u0301" * 1_000_000,
    "ten thousand times the same": "《晚风》由白露演唱，" * 10_000,
}
"""Texts that take seconds."""


def nasty() -> st.SearchStrategy[str]:
    """Draw nasty texts, parts of them, and what comes of putting such together."""
    part = st.one_of(
        any_text(),
        st.sampled_from([text[:120] for text in NASTY.values()]),
        st.sampled_from([*_SPACES, *_FORMAT, _FACT]),
        st.text(st.characters(codec=None), max_size=20),
        st.text(st.characters(categories=["Mn", "Mc", "Me", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"]), max_size=20),
    )
    return st.lists(part, max_size=6).map("".join)


def drawn(chance: Random) -> tuple[str, str]:
    """Return a nasty text, and of which kind it is: faster than `nasty`, and the same for the same chance."""
    kind = chance.choice(list(_KINDS))
    return "".join(_KINDS[kind](chance) for _ in range(chance.randint(1, 6))), kind


def _cut(text: str, chance: Random) -> str:
    start = chance.randrange(len(text) + 1)
    return text[start : start + chance.randint(0, 60)]


def _characters(*ranges: tuple[int, int]) -> Callable[[Random], str]:
    return lambda chance: "".join(chr(chance.randint(*chance.choice(ranges))) for _ in range(chance.randint(0, 16)))


_KINDS: dict[str, Callable[[Random], str]] = {
    "parts of nasty texts": lambda chance: _cut(chance.choice(list(NASTY.values())), chance),
    "sentences, shuffled": lambda chance: "".join(chance.sample(_FACT + chance.choice(SENTENCES), 12)),
    "sentences, with something in": lambda chance: chance.choice([*_SPACES, *_FORMAT, "\x00", "\ud83d", "\u0301"]).join(
        _cut(_FACT * 3, chance)
    ),
    "any characters": _characters((0, 0x10FFFF)),
    "the first characters": _characters((0, 0x17F)),
    "surrogates": _characters((0xD800, 0xDFFF), (0x4E00, 0x4E20), (0x20, 0x22)),
    "marks and joiners": _characters((0x300, 0x36F), (0x200B, 0x200F), (0xFE00, 0xFE0F), (0x61, 0x7A)),
    "emoji": _characters(
        (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF), (0x1F466, 0x1F469), (0x200D, 0x200D), (0xFE0F, 0xFE0F)
    ),
    "jamo and kana": _characters((0x1100, 0x11FF), (0xD7B0, 0xD7FF), (0xFF61, 0xFFA0), (0xAC00, 0xAC20)),
    "right to left": _characters((0x5D0, 0x5EA), (0x621, 0x65F), (0x202A, 0x202E), (0x2066, 0x2069), (0x20, 0x39)),
    "Indic": _characters((0x900, 0xDFF), (0xE00, 0xEFF)),
    "what normalisation changes": _characters((0xFB00, 0xFDFF), (0x2100, 0x218F), (0x3200, 0x33FF), (0xFF01, 0xFF60)),
    "spaces": _characters((0x2000, 0x200A), (9, 13), (28, 32), (0x3000, 0x3000), (0x4E00, 0x4E05)),
    "special tokens": lambda chance: chance.choice(
        ["[CLS]", "[SEP]", "[UNK]", "</s>", "<s>", "##a", "▁", "Ġ", "<mask>"]
    ),
    "ideographs": _characters((0x4E00, 0x9FFF), (0x20000, 0x2A6DF), (0xF900, 0xFAFF), (0xE0100, 0xE01EF)),
}


def mentions(triple: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a triple's subject, object and qualifiers, in its JSON form."""
    yield triple["subject"]
    yield triple["object"]
    yield from triple["qualifiers"].values()


def check(text: str, triples: Sequence[Mapping[str, Any]]) -> int:
    """Check that every mention is the slice of its text that it claims to be; return how many there are.

    Raises:
        AssertionError: one is not, or the triples are no JSON.
    """
    count = 0
    for triple in triples:
        for mention in mentions(triple):
            count += 1
            start, end = mention["start"], mention["end"]
            assert 0 <= start < end <= len(text), (mention, text)
            assert text[start:end] == mention["text"], (mention, text)
            assert not mention["text"][0].isspace(), (mention, text)
            assert not mention["text"][-1].isspace(), (mention, text)
        assert 0 <= triple["score"] <= 1, (triple, text)
    line = json_line({"text": text, "triples": list(triples)})
    assert "\n" not in line
    if not _PAIR.search(text):
        assert json.loads(line.encode()) == {"text": text, "triples": list(triples)}
    return count


# Two surrogates that no decoder leaves side by side, JSON's among them: it reads them as one character.
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def stirred(model: Any) -> Any:
    """Shake a model's weights, so that its probabilities differ from token to token."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model


def eager(extractor: Any, subjects: float = 0.8, objects: float = 0.98) -> dict[str, float]:
    """Return thresholds, as of a call, by which a model of any weights finds much in anything.

    Args:
        extractor: the loop on the model.
        subjects, objects: share of the borders in ordinary sentences that are below them.
    """
    encodings = [window.encoding for window in extractor.windows(SENTENCES)]
    batch = pad(encodings, 0)
    state, probs = extractor.backend.subjects(batch)
    rows = np.arange(len(encodings))
    first = batch.pointable.argmax(axis=1)
    of_objects = extractor.backend.objects(state, rows, np.stack([first, first], axis=1))
    return {
        f"{kind}_{side}_threshold": float(np.quantile(values[batch.pointable][..., at], share))
        for kind, values, share in (("subject", probs, subjects), ("object", of_objects, objects))
        for at, side in enumerate(("start", "end"))
    }
