"""Cards of ours are known again, until somebody edits them."""

import pytest

from hf_spo.hub.sealed_cards import is_sealed, seal

CARD = "---\nlicense: mit\n---\n\n# 模型\n\ntext\n\n"


def test_a_card_as_it_was_written() -> None:
    assert is_sealed(seal(CARD))
    assert seal(CARD).startswith("---\nlicense: mit\n---\n\n# 模型\n")


@pytest.mark.parametrize(
    "edited",
    [
        CARD,
        "",
        seal(CARD) + "more",
        seal(CARD).replace("text", "other text"),
        seal(CARD).replace("mit", "apache-2.0"),
        seal(CARD).replace("\n", "\r\n"),
    ],
)
def test_an_edited_one(edited: str) -> None:
    assert not is_sealed(edited)
