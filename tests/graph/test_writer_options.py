"""IRIs, languages and the map of predicates."""

from pathlib import Path

import pytest

from hf_spo.graph import RdfSettings
from hf_spo.graph.writer_options import read_predicate_map


@pytest.mark.parametrize(
    "iri", ["https://my.org/kg/", "http://例子.中国/图#", "urn:my-company:", "tag:a@b.c,2026:x%2F/"]
)
def test_base_iris(iri: str) -> None:
    assert RdfSettings(iri).base_iri == iri


@pytest.mark.parametrize(
    "iri",
    [
        *["", "my.org/", "/kg/", "https://my.org/kg", "https://my.org/a b/", "https://my.org/> . <a/", 'https://a"b/'],
        *["https://my.org/\n/", "https://my.org/%/", "https://my.org/%zz/", "https://my.org/{x}/", "https://a\\b/"],
        *["https://my.org/`/", "https://my.org/\ud800/", "1https://my.org/", "https:/"[:-2] + "^/"],
    ],
)
def test_what_is_no_base_iri(iri: str) -> None:
    with pytest.raises(ValueError, match="expected an absolute IRI that ends with"):
        RdfSettings(iri)


@pytest.mark.parametrize("iri", ["birthDate", "https://schema.org/birth date", "https://schema.org/a> <b", None, 5])
def test_predicates_need_iris(iri: str) -> None:
    with pytest.raises(ValueError, match=r"predicate map: '出生日期': .* is not an absolute IRI"):
        RdfSettings(predicates={"出生日期": iri})


@pytest.mark.parametrize("tag", ["zh", "zh-Hans-CN", "en-GB", ""])
def test_languages(tag: str) -> None:
    assert RdfSettings(language=tag).language == tag


@pytest.mark.parametrize("tag", ["中文", "zh_CN", "zh-", "a b", "en> "])
def test_what_is_no_language(tag: str) -> None:
    with pytest.raises(ValueError, match="expected a tag such as zh"):
        RdfSettings(language=tag)


def test_predicate_maps(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text('\ufeff{"出生日期": "https://schema.org/birthDate"}', encoding="utf-8")
    assert read_predicate_map(path) == {"出生日期": "https://schema.org/birthDate"}
    for text, problem in (("[]", "got a list"), ("{", "not valid JSON")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=rf"map\.json: {problem}.*expected an object that maps predicates to IRIs"):
            read_predicate_map(path)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ValueError, match="expected an object that maps predicates to IRIs"):
        read_predicate_map(path)
