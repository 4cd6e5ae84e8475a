"""Names that mean the same: who claims it, who decides, what is written, what the graph becomes."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from hf_spo.graph import KnowledgeGraph, row_of
from hf_spo.graph.merging import (
    Merge,
    TextAliases,
    apply,
    decide,
    is_short_form,
    read_aliases,
    read_merges,
    read_rules,
    rule_claims,
    write_merges,
)
from tests.graph.graph_samples import facts, graph_of, mention, triple


def named(*names: str, **settings: Any) -> KnowledgeGraph:
    """A graph with these names of the type x; the first is mentioned most often."""
    rows = [
        {"triples": [triple((name, "x"), "p", ("o", "y"), 0.5)]}
        for at, name in enumerate(names)
        for _ in range(len(names) - at)
    ]
    return graph_of(*rows, **settings)


def claim(kept: str, merged: str, rank: int = 2, **more: Any) -> Merge:
    return Merge(kept, merged, "x", "said", rank, **more)


def told(decisions: list[Merge]) -> list[tuple[bool, str, str]]:
    return [(one.merge, one.kept, one.merged) for one in decisions]


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "name", "found"),
        [
            ("陈默，又名陈未言，生于苏州。", "陈默", ("陈默", "陈未言")),
            ("苏轼（号东坡居士）", "苏轼", ("苏轼", "东坡居士")),
            ("成龙原名：陈港生。", "成龙", ("成龙", "陈港生")),
            ("北京大学简称北大，", "北京大学", ("北京大学", "北大")),
            ("北京大学（以下简称“北大”）", "北京大学", ("北京大学", "北大")),
            ("北京大学（北大）", "北京大学", ("北京大学", "北大")),
            ("北大（北京大学）", "北大", ("北京大学", "北大")),
            ("《远山的灯》又名《灯》。", "远山的灯", ("远山的灯", "灯")),
            ("北大，全称北京大学。", "北大", ("北京大学", "北大")),
            (
                "the World Health Organization (WHO) said",
                "World Health Organization",
                ("World Health Organization", "WHO"),
            ),
            ("Ann Lee, also known as Queen Ann, sang", "Ann Lee", ("Ann Lee", "Queen Ann")),
            ("Ann Lee a.k.a. Annie.", "Ann Lee", ("Ann Lee", "Annie")),
            ("NASA, short for the National Air Office.", "NASA", ("National Air Office", "NASA")),
        ],
    )
    def test_that_say_so(self, text: str, name: str, found: tuple[str, str]) -> None:
        row = row_of({"id": "d", "text": text, "triples": [triple(mention(text, name, "x"), "p", ("o", "y"))]})
        aliases = TextAliases()
        assert list(aliases.watch([row])) == [row]
        (one,) = aliases.claims
        assert (one.kept, one.merged) == found
        assert one.quote == text[one.start : one.end]
        assert one.quote.startswith(name)
        assert one.quote.endswith(found[0] if found[0] != name else found[1])

    @pytest.mark.parametrize(
        "text",
        [
            "孙悟空（林小川饰）",
            "孙悟空（林小川）",
            "孙悟空（1985年）",
            "孙悟空和号手",
            "孙悟空",
            "孙悟空。又名",
            "孙悟空说，他又名",
            "孙悟空 (SWK)",
        ],
    )
    def test_that_do_not(self, text: str) -> None:
        aliases = TextAliases()
        list(
            aliases.watch([row_of({"text": text, "triples": [triple(mention(text, "孙悟空", "x"), "p", ("o", "y"))]})])
        )
        assert aliases.claims == []

    def test_without_offsets_or_text(self) -> None:
        aliases = TextAliases()
        data = {"triples": [triple(("北京大学", "x"), "p", ("o", "y"))]}
        list(aliases.watch([row_of(data), row_of({**data, "text": "北京大学（北大）"})]))
        assert aliases.claims == []

    def test_a_long_text_is_answered_whatever_it_repeats(self) -> None:
        for piece in (" ", "（", "a ", "号", "，"):
            text = "甲" + piece * 20_000
            aliases = TextAliases()
            list(
                aliases.watch([row_of({"text": text, "triples": [triple(mention(text, "甲", "x"), "p", ("o", "y"))]})])
            )

    @pytest.mark.parametrize(
        ("short", "full", "fits"),
        [
            ("北大", "北京大学", True), ("大北", "北京大学", False), ("北", "北京大学", False),
            ("京大", "北京大学", False), ("北京大学", "北京大学", False), ("WHO", "World Health Organization", True),
            ("W.H.O.", "World Health Organization", True), ("UCL", "University of California London", True),
            ("WH", "World Health Organization", False), ("An", "Annabel", False),
        ],
    )  # fmt: skip
    def test_short_forms(self, short: str, full: str, fits: bool) -> None:
        assert is_short_form(short, full) == fits


class TestDecisions:
    def test_names_that_the_graph_lacks_are_ignored(self) -> None:
        assert decide(named("a", "b"), [claim("a", "z"), claim("z", "a"), Merge("a", "b", "y", "", 2)]) == []

    def test_an_untyped_alias_holds_for_each_type(self) -> None:
        graph = graph_of({"triples": [triple(("a", "x"), "p", ("a", "")), triple(("b", "x"), "p", ("b", ""))]})
        assert [one.type for one in decide(graph, [Merge("a", "b", None, "", 1)])] == ["", "x"]
        assert [one.type for one in decide(graph, [Merge("a", "b", "", "", 1)])] == [""]

    def test_chains_and_circles(self) -> None:
        graph = named("a", "b", "c", "d")
        chain = [claim("a", "b"), claim("b", "c"), claim("c", "d")]
        assert told(decide(graph, chain)) == [(True, "a", "b"), (True, "a", "c"), (True, "a", "d")]
        circle = [claim("c", "b"), claim("d", "c"), claim("b", "d")]
        assert told(decide(graph, circle)) == [(True, "b", "c"), (True, "b", "d")]
        assert told(decide(graph, [claim("b", "a"), claim("a", "b")])) == [(True, "a", "b")]

    def test_two_names_that_claim_one(self) -> None:
        decisions = decide(named("a", "b", "c"), [claim("a", "c"), claim("b", "c")])
        assert told(decisions) == [(False, "a", "c"), (False, "b", "c")]
        assert [one.reason for one in decisions] == ["said; but also b", "said; but also a"]

    def test_a_table_wins_over_a_text_and_a_report_over_both(self) -> None:
        graph = named("a", "b", "c")
        claims = [claim("a", "c", 2), claim("b", "c", 1)]
        assert told(decide(graph, claims)) == [(False, "a", "c"), (True, "b", "c")]
        assert told(decide(graph, [*claims, claim("a", "c", 0)])) == [(True, "a", "c"), (False, "b", "c")]
        assert told(decide(graph, [claim("a", "b", 2), claim("b", "a", 1)])) == [(True, "b", "a")]

    def test_a_no_forbids(self) -> None:
        refused = claim("a", "b", 0, merge=False)
        assert told(decide(named("a", "b"), [claim("a", "b"), claim("b", "a"), refused])) == [(False, "a", "b")]

    def test_the_order_of_claims_does_not_matter(self) -> None:
        graph = named("a", "b", "c", "d")
        claims = [claim("a", "b"), claim("c", "b"), claim("d", "c"), claim("c", "d"), claim("a", "c", 1)]
        assert len({str(decide(graph, order)) for order in itertools.permutations(claims)}) == 1


class TestGraph:
    @pytest.mark.parametrize("provenance", [True, False])
    def test_facts_of_merged_nodes_are_one(self, provenance: bool) -> None:
        graph = named("a", "B", "c", provenance=provenance)
        before = sum(edge.count for edge in graph.edges)
        apply(graph, decide(graph, [claim("b", "a"), claim("b", "c")]))
        assert facts(graph) == [("B", "p", "o")]
        (edge,) = graph.edges
        assert (edge.count, edge.documents, edge.mean_score) == (before, 6, 0.5)
        assert len(edge.evidence) == (before if provenance else 0)
        assert edge.subject.aliases == ["a", "c"]
        assert edge.subject.mentions == 6

    def test_qualifiers_and_later_rows(self) -> None:
        slot = {"onDate": {"text": "c", "type": "x"}}
        row = {"triples": [triple(("b", "x"), "p", ("o", "y"), **slot), triple(("c", "x"), "q", ("o", "y"))]}
        graph = graph_of(row)
        apply(graph, decide(graph, [claim("b", "c")]))
        graph.add(row_of({"triples": [triple(("C", "x"), "q", ("o", "y"))]}, "later"))
        assert facts(graph) == [("b", "p", "o"), ("b", "q", "o")]
        first, second = graph.edges
        (qualifiers,) = first.qualifiers
        assert qualifiers == (("onDate", first.subject),) == first.evidence[0].qualifiers
        assert second.count == 2

    def test_nothing_is_merged_unasked(self) -> None:
        graph = named("a", "b")
        apply(graph, [claim("a", "b", merge=False)])
        assert len(graph.edges) == 2


class TestFiles:
    def test_a_report_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        names = ['a "quoted"', "tab", "#x", "é😀", "'"]
        graph = named(*names)
        claims = [
            claim(names[0], name, document="d\n1", start=1, end=5, quote="x\ty", similarity=0.25) for name in names[1:]
        ]
        decisions = decide(graph, [*claims, claim(names[0], names[1], 0, merge=False)])
        write_merges(decisions, tmp_path / "merges.tsv")
        again = decide(graph, read_merges(tmp_path / "merges.tsv"))
        assert told(again) == told(decisions)
        assert {one.merge for one in again} == {True, False}
        assert {one.similarity for one in again} == {0.25, None}
        text = (tmp_path / "merges.tsv").read_text(encoding="utf-8")
        assert text.startswith("merge\tkept\tmerged\ttype\treason\tdocument\tstart\tend\tquote\tsimilarity\nyes\t")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a\tb\n", "1: columns kept, merge, merged, type are missing; expected a report of merges"),
            ("merge\tkept\tmerged\ttype\nmaybe\ta\tb\tx\n", "2: expected merge yes or no, and two names, got "),
            ("merge\tkept\tmerged\ttype\nyes\ta\t\tx\n", "2: expected merge yes or no"),
        ],
    )
    def test_what_is_no_report(self, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "m.tsv").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=f"m.tsv:{message}"):
            read_merges(tmp_path / "m.tsv")

    def test_aliases(self, tmp_path: Path) -> None:
        path = tmp_path / "aliases.tsv"
        path.write_text("# name, alias\n北京大学\t北大\t学校\n\nIBM\tBig Blue\r\n", encoding="utf-8")
        first, second = read_aliases(path)
        assert (first.kept, first.merged, first.type, first.reason) == ("北京大学", "北大", "学校", "aliases.tsv:2")
        assert (second.kept, second.merged, second.type) == ("IBM", "Big Blue", None)
        path.write_text("北京大学,北大\n", encoding="utf-8")
        with pytest.raises(ValueError, match=r"aliases.tsv:1: expected NAME<tab>ALIAS or .*, got '北京大学,北大'"):
            read_aliases(path)

    def test_rules(self, tmp_path: Path) -> None:
        path = tmp_path / "rules.json"
        path.write_text('{"x": {"endings": ["有限公司", "股份有限公司"], "beginnings": ["Dr. "]}}', encoding="utf-8")
        graph = named("远帆科技有限公司", "远帆科技股份有限公司", "远帆科技", "有限公司", "Dr. Li", "Li")
        decisions = decide(graph, rule_claims(graph, read_rules(path)))
        assert told(decisions) == [
            (True, "Dr. Li", "Li"),
            (True, "远帆科技有限公司", "远帆科技"),
            (True, "远帆科技有限公司", "远帆科技股份有限公司"),
        ]
        assert decisions[0].reason == "rule: both are li"

    @pytest.mark.parametrize(
        "text",
        ["[]", "{", '{"x": []}', '{"x": {"end": ["a"]}}', '{"x": {"endings": "a"}}', '{"x": {"endings": [" "]}}'],
    )
    def test_what_is_no_rule(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "r.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=r'r.json: .*expected \{"TYPE": \{"beginnings"'):
            read_rules(tmp_path / "r.json")
