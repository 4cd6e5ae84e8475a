import json
import subprocess
import sys

import pytest

from hf_spo.data import DataFormatError, find_format, format_names, read_records
from hf_spo.data.formats.registry import detect


def test_names_are_sorted_and_lower_case():
    assert list(format_names()) == sorted(format_names())
    assert all(name == name.lower() and " " not in name for name in format_names())
    assert all(find_format(name).about for name in format_names())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Doccano", "there is no format 'Doccano'; did you mean doccano"),
        ("duie", "did you mean duie[12] or duie[12]"),
        ("label_studio", "did you mean label-studio"),
        ("xml", "there is no format 'xml'; there are brat, casrel, .*, tsv"),
    ],
)
def test_names_that_are_wrong(name, message, tmp_path):
    with pytest.raises(DataFormatError, match=message):
        find_format(name)
    with pytest.raises(DataFormatError, match=message):
        read_records(tmp_path, name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no labelled text: the file is empty"),
        (b"\n \n", "the file is empty"),
        (
            b'{"text": "a", "label": "b"}',
            "its first row has 'text', 'label'; the formats are brat, .* name it with --format",
        ),
        (b"subject,predicate,object\na,b,c\n", "begins 'subject,predicate,object"),
        (b'{\n "text": "a",\n "triples": [', "no complete JSON object on a line or in a list"),
        (b'[{"text": "a', "is the file complete"),
        ("雪国,海边".encode("gb18030"), "cannot be read: not UTF-8: .* GB18030"),
        ('{"triples": []}'.encode("utf-16"), "cannot be read: expected UTF-8, got UTF-16"),
    ],
)
def test_what_is_in_no_format(content, message, tmp_path):
    path = tmp_path / "data.txt"
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=rf"data\.txt .*{message}"):
        detect(path)


def test_a_folder_in_no_format(tmp_path):
    with pytest.raises(DataFormatError, match="is a folder in no known format; the formats are"):
        detect(tmp_path)
    with pytest.raises(FileNotFoundError):
        detect(tmp_path / "none")


def test_reading_json_imports_no_package_of_another_format(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "雪国", "spo_list": []}\n', encoding="utf-8")
    code = (
        "import sys; from hf_spo.data import read_examples; print(len(list(read_examples(sys.argv[1]))));"
        "print({'spacy', 'pyarrow', 'datasets', 'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["1", "set()"]


@pytest.mark.parametrize("size", [30, 3_000])  # the long head starts at about 2,000 such rows
def test_a_format_is_recognised_by_a_row_behind_many_that_are_rejected(size, tmp_path):
    rejected = json.dumps({"text": "x" * 200, "answer": "reject"})
    accepted = json.dumps({"text": "ab", "spans": [{"start": 0, "end": 1, "label": "X"}], "answer": "accept"})
    path = tmp_path / "export.jsonl"
    path.write_text("\n".join([*[rejected] * size, accepted]), encoding="utf-8")
    assert detect(path).name == "prodigy"
