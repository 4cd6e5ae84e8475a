"""Cards of ours are known again, until somebody edits them."""

import pytest

from hf_spo.hub.card_files import is_generated, mark_generated

CARD = "---\nlicense: mit\n---\n\n# 模型\n\ntext\n\n"


def test_a_card_as_it_was_written() -> None:
    assert is_generated(mark_generated(CARD))
    assert mark_generated(CARD).startswith("---\nlicense: mit\n---\n\n# 模型\n")


@pytest.mark.parametrize(
    "edited",
    [
        CARD,
        "",
        mark_generated(CARD) + "more",
        mark_generated(CARD).replace("text", "other text"),
        mark_generated(CARD).replace("mit", "apache-2.0"),
        mark_generated(CARD).replace("\n", "\r\n"),
    ],
)
def test_an_edited_one(edited: str) -> None:
    assert not is_generated(edited)
