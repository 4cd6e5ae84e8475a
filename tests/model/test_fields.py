"""Fields of JSON objects."""

import json

from hf_spo.model.fields import json_line


def test_json_escapes_only_what_utf8_cannot_write() -> None:
    assert json_line({"text": "谥"}) == '{"text": "谥"}'
    assert json.loads(json_line({"text": "谥\udcff"}).encode()) == {"text": "谥\udcff"}
