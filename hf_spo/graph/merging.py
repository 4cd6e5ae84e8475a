"""Merge nodes of different names that mean the same, by claims of a text, a table, rules, embeddings or a report.

    claims = [*read_aliases(Path("aliases.tsv")), *text_aliases.claims]
    decisions = decide(graph, claims)
    apply(graph, decisions)
    write_merges(decisions, Path("merges.tsv"))

Only names that the graph has under the same type are merged. Each decision is listed, with its reason; a report that
was edited is read by [`read_merges`].
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..model.schema import Mention
from ..support.files import whole_file
from ..support.safe_text import one_line
from .elements import Node
from .knowledge import KnowledgeGraph
from .names import normalised
from .triple_rows import Row

YES, NO = "yes", "no"
COLUMNS = ("merge", "kept", "merged", "type", "reason", "document", "start", "end", "quote", "similarity")
"""Columns of a report; the first four are read again."""


@dataclass(frozen=True, slots=True)
class Merge:
    """A claim that two names of a type mean the same, or the decision on it.

    Args:
        kept: name of the node that stays.
        merged: name of the node that is merged into it.
        type: type of both; None in a claim: any type.
        reason: what claims it.
        rank: claims of a lower rank win: 0 a report, 1 a table of aliases, 2 a text, 3 a rule, 4 embeddings.
        document, start, end, quote: evidence of a text, with offsets in code points, end excluded.
        merge: whether the nodes are merged; a claim that says no forbids it.
        similarity: cosine of the embeddings of the two names that the reason compares.
    """

    kept: str
    merged: str
    type: str | None
    reason: str
    rank: int
    document: str = ""
    start: int | None = None
    end: int | None = None
    quote: str = ""
    merge: bool = True
    similarity: float | None = None


_END, _LATIN_END = r"(?=[，。；、！？,.;!?）)》」』”\"\s]|$)", r"(?=[，。；、！？,.;!?）)》」』”\"\n]|$)"
_OPEN, _CLOSE = r"[《「『“\"']?", r"[》」』”\"']?"
_NAME = rf"{_OPEN}(?P<name>[^，。；、！？：,.;!?:（）()《》「」『』“”\"\n]{{1,60}}?){_CLOSE}"
_CUES = "又名|又称|亦称|亦名|也称|也叫|别名|别称|简称|全称|原名|本名|曾用名|旧称|自号|别号|号"
# White space is bounded, so that no text takes quadratic time.
_ALIAS = re.compile(
    rf"""
    \s{{0,3}}[（(，,]?\s{{0,3}} (?P<cue> {_CUES} )[为是作]?[：:]?\s{{0,3}}{_NAME}{_END}
  | [（(，,\s]{{1,4}} (?:is\s{{1,3}})?
    (?P<word> (?:also|better|formerly)\s{{1,3}}known\s{{1,3}}as | a\.?k\.?a\.? | short\s{{1,3}}for )\s{{1,3}}
    (?:the\s{{1,3}})? {_NAME.replace("?P<name>", "?P<latin>")}{_LATIN_END}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BRACKET = re.compile(
    r"[》」』”\"]?\s{0,3}[（(]\s{0,3}(?:以下简称|下称)?[：:]?[“\"「]?"
    r"(?P<name>[^（）()，。；,;\n“”\"「」]{1,60})[”\"」]?\s{0,3}[）)]"
)
_NUMBER = re.compile(r"-?[01](\.[0-9]+)?")
_FULL = ("全称", "short for")
_SMALL_WORDS = frozenset({"of", "the", "and", "for", "in", "on", "at", "to", "de", "la"})


def is_short_form(short: str, full: str) -> bool:
    """Return whether a name abbreviates another: 北大 for 北京大学, WHO for World Health Organization.

    The first character is the same, and the others follow in their order: characters of a name without spaces, or
    the initials of all words but small ones.
    """
    words = [word for word in re.split(r"[\s-]+", full.casefold()) if word]
    if len(words) > 1:
        letters = short.casefold().replace(".", "")
        initials = ["".join(word[0] for word in some) for some in (words, [w for w in words if w not in _SMALL_WORDS])]
        return len(letters) > 1 and letters in initials
    if full.isascii() or not 1 < len(short) < len(full) or short[0] != full[0]:
        return False
    rest = iter(full)
    return all(character in rest for character in short)


class TextAliases:
    """Collect what texts themselves say of names: 又名, 简称, 号, "also known as", and brackets with a short form."""

    def __init__(self) -> None:
        self.claims: list[Merge] = []

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield rows as they are, and collect the claims of those with a text."""
        for row in rows:
            if row.text is not None:
                mentions = (one for triple in row.triples for one in (triple.subject, *dict(triple.slots()).values()))
                for mention in dict.fromkeys(mentions):
                    self.claims.extend(_claims(mention, row.text, row.document))
            yield row


def _claims(mention: Mention, text: str, document: str) -> Iterator[Merge]:
    if mention.span is None:
        return
    end = mention.span.end + (text[mention.span.end : mention.span.end + 1] in ("》", "」", "』", "”"))
    if found := _ALIAS.match(text, end):
        group = "name" if found["name"] else "latin"
        cue = " ".join((found["cue"] or found["word"]).casefold().split())
        kept, merged = mention.text, found[group].strip()
        if cue in _FULL:
            kept, merged = merged, kept
    elif (found := _BRACKET.match(text, mention.span.end)) and (name := found["name"].strip()):
        group, cue = "name", "brackets"
        kept, merged = (mention.text, name) if len(mention.text) > len(name) else (name, mention.text)
        if not is_short_form(merged, kept):
            return
    else:
        return
    stop = found.end(group)
    yield Merge(
        kept, merged, one_line(mention.type), f"text: {cue}", 2, one_line(document), mention.span.start, stop,
        text[mention.span.start : stop],
    )  # fmt: skip


def read_aliases(path: Path) -> list[Merge]:
    """Read a table of aliases: lines of the name to keep, a tab, its alias and, optionally, a tab and their type.

    Raises:
        ValueError: a line has another number of cells, or an empty name; the message has file and line.
    """
    claims = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.rstrip("\r").split("\t")]
        if len(cells) not in (2, 3) or not all(cells[:2]):
            raise ValueError(f"{path}:{number}: expected NAME<tab>ALIAS or NAME<tab>ALIAS<tab>TYPE, got {line!r:.80}")
        claims.append(Merge(cells[0], cells[1], cells[2] if len(cells) > 2 else None, f"{path.name}:{number}", 1))
    return claims


def read_merges(path: Path) -> list[Merge]:
    """Read a report, in which lines may have been removed or added, and `merge` changed between yes and no.

    Raises:
        ValueError: it is not a report; the message has file and line.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        missing = set(COLUMNS[:4]) - set(rows.fieldnames or ())
        if missing:
            raise ValueError(f"{path}:1: columns {', '.join(sorted(missing))} are missing; expected a report of merges")
        claims: list[Merge] = []
        for row in rows:
            if row["merge"] not in (YES, NO) or not row["kept"] or not row["merged"]:
                place = f"{path}:{rows.line_num}"
                raise ValueError(f"{place}: expected merge {YES} or {NO}, and two names, got {row!r:.200}")
            reason = row.get("reason") or f"{path.name}:{rows.line_num}"
            start, end = (int(row[name]) if (row.get(name) or "").isdecimal() else None for name in ("start", "end"))
            evidence = (row.get("document") or "", start, end, row.get("quote") or "")
            said = row.get("similarity") or ""
            decision = row["merge"] == YES, float(said) if _NUMBER.fullmatch(said) else None
            claims.append(Merge(row["kept"], row["merged"], row["type"] or "", reason, 0, *evidence, *decision))
    return claims


def write_merges(decisions: Iterable[Merge], path: Path) -> None:
    """Write decisions as a report: tab-separated values with a header, which [`read_merges`] reads."""
    with whole_file(path) as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in decisions:
            similarity = None if one.similarity is None else f"{one.similarity:.4f}"
            cells = (
                one.kept, one.merged, one.type, one.reason, one.document, one.start, one.end, one_line(one.quote),
                similarity,
            )  # fmt: skip
            writer.writerow([YES if one.merge else NO, *("" if cell is None else cell for cell in cells)])


@dataclass(frozen=True, slots=True)
class TypeRules:
    """What names of a type may differ in: what they begin or end with, such as Dr. or 有限公司."""

    beginnings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()

    def core(self, key: str) -> str:
        """Return a normalised name without one beginning and one ending."""
        start = next((mark for mark in self.beginnings if key.startswith(mark) and len(key) > len(mark) + 1), "")
        key = key.removeprefix(start).strip()
        end = next((mark for mark in self.endings if key.endswith(mark) and len(key) > len(mark) + 1), "")
        return key.removesuffix(end).strip()


def read_rules(path: Path) -> dict[str, TypeRules]:
    """Read rules by type: {"企业": {"endings": ["有限公司"]}, "人物": {"beginnings": ["Dr. "]}}.

    Raises:
        ValueError: the file is not such a JSON object.
    """
    expected = 'expected {"TYPE": {"beginnings": ["Dr. "], "endings": ["有限公司"]}, …}'
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path}: not valid JSON ({error}); {expected}") from None
    rules = {}
    for type_, given in data.items() if isinstance(data, dict) else [("", data)]:
        if not isinstance(given, dict) or set(given) - {"beginnings", "endings"}:
            raise ValueError(f"{path}: {type_!r}: got {given!r:.80}; {expected}")
        marks = {}
        for name, value in given.items():
            if not isinstance(value, list) or not all(isinstance(mark, str) and mark.strip() for mark in value):
                raise ValueError(f"{path}: {type_!r}: {name}: got {value!r:.80}; {expected}")
            # The longest first: 股份有限公司 before 有限公司.
            marks[name] = tuple(sorted({normalised(mark) for mark in value}, key=lambda mark: (-len(mark), mark)))
        rules[type_] = TypeRules(**marks)
    return rules


def rule_claims(graph: KnowledgeGraph, rules: Mapping[str, TypeRules]) -> list[Merge]:
    """Claim that names of a type are the same if they are equal without their beginnings and endings."""
    groups: dict[tuple[str, str], list[Node]] = {}
    for node in graph.all_nodes:
        if node.type in rules:
            groups.setdefault((node.type, rules[node.type].core(node.key)), []).append(node)
    claims: list[Merge] = []
    for (type_, core), nodes in groups.items():
        kept, *others = sorted(nodes, key=importance)
        claims.extend(Merge(kept.label, node.label, type_, f"rule: both are {core}", 3) for node in others)
    return claims


def importance(node: Node) -> tuple[int, int, str]:
    """Return a key by which nodes are sorted: those with most mentions first, then those with the longest names."""
    return -node.mentions, -len(node.key), node.key


def decide(graph: KnowledgeGraph, claims: Iterable[Merge]) -> list[Merge]:
    """Decide on claims about nodes that the graph has; the order of the claims does not matter.

    - Of the claims on a name, those of the lowest rank count. If they name different nodes to keep, or another claim of
      the same two names says no, the name is not merged.
    - Of a chain (A is B, B is C) all are merged into its end. Of a circle, the node with most mentions is kept.

    Returns:
        One decision for each pair of names and type, sorted; those that say no have the cause in their reason.
    """
    found = _by_names(graph, claims)
    targets: dict[Node, dict[Node, Merge]] = {}
    for (kept, merged), claim in found.items():
        targets.setdefault(merged, {})[kept] = claim
    into: dict[Node, Node] = {}
    for merged, by_kept in targets.items():
        wanted = {kept: claim for kept, claim in by_kept.items() if claim.merge}
        best = min((claim.rank for claim in wanted.values()), default=0)
        chosen = [kept for kept, claim in wanted.items() if claim.rank == best]
        for kept, claim in wanted.items():
            if kept not in chosen or len(chosen) > 1:
                others = " or ".join(sorted(other.label for other in chosen if other is not kept))
                found[kept, merged] = replace(claim, merge=False, reason=f"{claim.reason}; but also {others}")
        if len(chosen) == 1:
            into[merged] = chosen[0]
    ends = {node: _end(node, into) for node in into}
    decisions = []
    for (kept, merged), claim in found.items():
        final = ends.get(merged, kept) if claim.merge else kept
        if final is merged:  # of a circle, it is the one that is kept
            continue
        decisions.append(replace(claim, kept=final.label, merged=merged.label, type=merged.type))
    return sorted(decisions, key=lambda one: (one.type or "", one.kept, one.merged))


def apply(graph: KnowledgeGraph, decisions: Iterable[Merge]) -> None:
    """Merge the nodes of decisions that say yes."""
    nodes = (
        (graph.node(one.type or "", one.merged), graph.node(one.type or "", one.kept)) for one in decisions if one.merge
    )
    graph.merge([(merged, kept) for merged, kept in nodes if merged is not None and kept is not None])


def _by_names(graph: KnowledgeGraph, claims: Iterable[Merge]) -> dict[tuple[Node, Node], Merge]:
    """Return the decisive claim on each pair of nodes: the lowest rank, then a no, then the first evidence."""
    found: dict[tuple[Node, Node], Merge] = {}
    types = sorted({node.type for node in graph.all_nodes})
    order = sorted(claims, key=lambda one: (one.rank, one.merge, one.document, one.start or 0, one.reason))
    for claim in order:
        for type_ in types if claim.type is None else [claim.type]:
            kept, merged = graph.node(type_, claim.kept), graph.node(type_, claim.merged)
            if kept is not None and merged is not None and kept is not merged:
                reverse = found.get((merged, kept))
                if reverse is None or (reverse.merge and reverse.rank == claim.rank):  # then a circle
                    found.setdefault((kept, merged), claim)
    return found


def _end(node: Node, into: Mapping[Node, Node]) -> Node:
    """Follow a chain to its end, or around a circle to its most important node."""
    way = [node]
    while (following := into.get(way[-1])) is not None:
        if following in way:
            return min(way[way.index(following) :], key=importance)
        way.append(following)
    return way[-1]
