"""Strange characters: replaced one for one, and harmless where the text is shown."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_spo.support.safe_text import encodable, one_line, printable, printable_line, render_page, script_json

pytestmark = pytest.mark.smoke

ANY_TEXT = st.text(st.characters(codec=None), max_size=30)
CONTROLS = {*map(chr, {*range(32), *range(0x7F, 0xA0)}), "\ufffe", "\uffff"}


@pytest.mark.parametrize("function", [encodable, printable, printable_line])
@given(text=ANY_TEXT)
def test_the_length_stays_and_the_text_is_utf8(function, text):
    assert len(function(text).encode().decode()) == len(text)


@given(ANY_TEXT)
def test_printable_text_has_no_control_characters(text):
    assert not set(printable(text)) & (CONTROLS - {"\t", "\n"})
    assert not set(printable_line(text)) & (CONTROLS | set("\u2028\u2029\u202e\u2066"))


def test_only_surrogates_are_replaced_for_utf8():
    assert encodable("a\x1b\ud800b\udfff😀") == "a\x1b\ufffdb\ufffd😀"


def test_a_carriage_return_is_a_line_feed_as_it_is_in_xml():
    assert printable("a\r\nb\tc\x1b") == "a\n\nb\tc\ufffd"


def test_line_ends_become_spaces_on_one_line():
    assert printable_line("a\r\nb\tc\u2028d\u202ee") == "a  b c d\ufffde"
    assert one_line(" a\r\n b\u2028c\x00 ") == "a b c\ufffd"


def test_json_cannot_end_its_script_element():
    value = {"a": "</script><!-- & \u2028"}
    written = script_json(value)
    assert not re.search("[<>&\u2028]", written)
    assert json.loads(written) == value


def test_strings_in_a_page_are_escaped_and_printable(tmp_path):
    path = tmp_path / "page.html.jinja"
    path.write_text("<p>{{ name }}</p>\n", encoding="utf-8")
    assert render_page(path, name="<b>\x1b") == "<p>&lt;b&gt;\ufffd</p>\n"
