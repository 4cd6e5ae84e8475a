"""Documents through a loop: none is lost, and one that fails stops no other."""

import pytest

from hf_spo import Mention, Span, Triple
from hf_spo.corpus.chunks import extract_chunk, in_chunks
from hf_spo.corpus.engines import LocalEngine
from hf_spo.data import UnreadableRecord
from hf_spo.data.documents import Document
from tests import builders


def found(text):
    mention = Mention(text, Span(0, len(text)))
    return [Triple(mention, "p", mention, score=1.0)]


class Panic(BaseException):
    """As a panic of Rust code reaches Python: no Exception."""


def loop(texts, batch_size=None):
    """Find one triple in a text, and fail at some."""
    for text in texts:
        if text.startswith("bad"):
            raise ValueError(f"{text} is bad")
        if text.startswith("crash"):
            raise RuntimeError("out of memory")
        if text.startswith("panic"):
            raise Panic("retry limit")
        if text.startswith("stop"):
            raise KeyboardInterrupt
        yield found(text)


def documents(*texts):
    return [Document(number, text, "s") for number, text in enumerate(texts)]


def outcomes(items):
    return [
        item.problem if isinstance(item, UnreadableRecord) else (item.text, len(triples)) for item, triples in items
    ]


class TestExtractChunk:
    def test_what_is_no_document_goes_through(self):
        unreadable = UnreadableRecord("s", 0, "no text", id=9)
        one, two = documents("a", "b")
        assert outcomes(extract_chunk(loop, [unreadable, one, unreadable, two])) == [
            "no text",
            ("a", 1),
            "no text",
            ("b", 1),
        ]

    def test_one_that_fails_is_set_aside_with_its_text(self):
        unreadable = UnreadableRecord("s", 0, "no text", id=9)
        results = list(extract_chunk(loop, [*documents("a", "bad 1", "b", "crash", "c"), unreadable]))
        assert outcomes(results) == [
            ("a", 1),
            "bad 1 is bad",
            ("b", 1),
            "RuntimeError: out of memory",
            ("c", 1),
            "no text",
        ]
        failed = results[1][0]
        assert (failed.id, failed.source, failed.content) == (1, "s", "bad 1")

    def test_a_panic_is_its_document_s_alone_and_a_wish_to_stop_is_not_caught(self):
        assert outcomes(extract_chunk(loop, documents("a", "panic"))) == [("a", 1), "Panic: retry limit"]
        with pytest.raises(KeyboardInterrupt):
            list(extract_chunk(loop, documents("a", "stop")))

    def test_if_all_fail_the_texts_are_not_at_fault(self):
        with pytest.raises(RuntimeError, match="one document after the other fails: RuntimeError: out of memory"):
            list(extract_chunk(loop, documents(*["crash"] * 20)))
        assert len(list(extract_chunk(loop, documents("a", *["crash"] * 20)))) == 21
        assert len(list(extract_chunk(loop, documents(*["bad"] * 20)))) == 20


class TestChunks:
    def test_by_number_and_by_length(self):
        assert [len(chunk) for chunk in in_chunks(iter(documents(*"abcde")), 2)] == [2, 2, 1]
        assert [len(chunk) for chunk in in_chunks(iter(documents("a" * 300_000, "b", "c")), 2)] == [1, 2]

    def test_a_source_that_fails_does_so_after_what_it_gave(self):
        def source():
            yield from documents("a", "b", "c")
            raise OSError("gone")

        parts = in_chunks(source(), 2)
        assert [len(next(parts)), len(next(parts))] == [2, 1]
        with pytest.raises(OSError, match="gone"):
            next(parts)
        with pytest.raises(OSError, match="gone"):
            list(LocalEngine(chunk_size=2)(source, lambda: loop))


def test_a_real_loop_gives_what_the_pipeline_gives(trained_model, tiny_tokenizer):
    from hf_spo.model.pipeline import TripleExtractionPipeline

    pipe = TripleExtractionPipeline(trained_model, tokenizer=tiny_tokenizer)
    texts = [example.text for example in builders.EXAMPLES]
    results = list(LocalEngine(chunk_size=3)(lambda: iter(documents(*texts)), lambda: pipe.extractor()))
    assert [item.text for item, _ in results] == texts
    for (_, triples), expected in zip(results, pipe(texts), strict=True):
        assert [triple["object"] for triple in triples] == [triple["object"] for triple in expected]
