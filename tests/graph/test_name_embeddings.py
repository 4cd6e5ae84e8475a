"""Names with similar embeddings: which are compared, which is kept, whatever the size of a block."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from hf_spo.graph import KnowledgeGraph, name_embeddings
from hf_spo.graph.merging import Merge, apply, decide
from hf_spo.graph.name_embeddings import Matrix, embedding_claims
from tests.graph.graph_samples import graph_of, triple


def by_angle(names: Sequence[str]) -> Matrix:
    """Embed a name in the plane: its first character is a place on a circle, in steps of 5 degrees."""
    angles = [math.radians(5 * (ord(name[0]) - ord("a"))) for name in names]
    return np.array([[math.cos(angle), math.sin(angle)] for angle in angles], np.float32)


def named(*names: str) -> KnowledgeGraph:
    """A graph with these names; the first is mentioned most often."""
    subjects = [name for at, name in enumerate(names) for _ in range(len(names) - at)]
    return graph_of(*({"triples": [triple((name, "x"), "p", ("o", "y"))]} for name in subjects))


def told(claims: Sequence[Merge]) -> set[tuple[str, str, float | None]]:
    return {(one.kept, one.merged, one.similarity and round(one.similarity, 3)) for one in claims}


def test_the_threshold_and_the_name_that_is_kept() -> None:
    graph = named("b", "a", "k", "c", "j")
    near = math.cos(math.radians(5))
    claims = embedding_claims(graph, by_angle, 0.99, "m")
    assert told(claims) == {("b", "a", round(near, 3)), ("b", "c", round(near, 3)), ("k", "j", round(near, 3))}
    assert {(one.type, one.rank, one.reason) for one in claims if one.kept == "k"} == {
        ("x", 4, "embeddings of m: like k")
    }
    assert embedding_claims(graph, by_angle, near + 1e-4, "m") == []
    apply(graph, decide(graph, claims))
    assert sorted(node.label for node in graph.all_nodes) == ["b", "k", "o"]


def test_no_chains() -> None:
    assert told(embedding_claims(named("a", "b", "c", "d"), by_angle, 0.99, "m")) == {
        ("a", "b", 0.996),
        ("c", "d", 0.996),
    }


def test_a_name_goes_to_the_most_similar() -> None:
    assert ("e", "d", 0.996) in told(embedding_claims(named("b", "e", "d"), by_angle, 0.98, "m"))


@pytest.mark.parametrize("names", [("a2008", "a2009"), ("a第一季", "a第二季"), ("a1", "a")])
def test_other_numerals_are_other_things(names: tuple[str, str]) -> None:
    assert embedding_claims(named(*names), by_angle, 0.5, "m") == []


def test_names_of_another_type_are_not_compared() -> None:
    graph = graph_of({"triples": [triple(("a", "x"), "p", ("ab", "y"))]})
    assert embedding_claims(graph, by_angle, 0.5, "m") == []


def test_rules_come_first() -> None:
    graph = named("a", "b", "z")
    by_rule = Merge("z", "b", "x", "rule", 3)
    decisions = decide(graph, [by_rule, *embedding_claims(graph, by_angle, 0.99, "m")])
    assert [(one.merge, one.kept, one.merged) for one in decisions] == [(False, "a", "b"), (True, "z", "b")]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    kept: list[int] = []
    expected = []
    for at, row in enumerate(rows):
        similarities = rows[kept] @ row
        if kept and similarities.max() >= 0.9:
            expected.append((at, kept[int(similarities.argmax())]))
        else:
            kept.append(at)
    assert 20 < len(expected) < 180
    for size in ((512, 16_384), (7, 5), (1, 1)):
        monkeypatch.setattr(name_embeddings, "_ROWS", size[0])
        monkeypatch.setattr(name_embeddings, "_COLUMNS", size[1])
        assert [(at, place) for at, place, _ in name_embeddings._similar(rows, 0.9)] == expected
