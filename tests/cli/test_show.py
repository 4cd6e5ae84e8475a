"""hf-spo show: on a terminal, as a page and as a picture."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from hf_spo import render
from hf_spo.cli.show import marked
from tests import builders
from tests.cli.command_line import one_line_error, write_rows

EXAMPLE = builders.EXAMPLES[0]
ROWS = [triple.to_dict() for triple in EXAMPLE.triples]


@pytest.fixture
def show(run, trained_folder):
    def show(*words, **options):
        needs_model = "--input" not in words
        return run("show", *words, *(["--model", trained_folder] if needs_model else []), **options)

    return show


def printed(text, triples, width=100, **options):
    console = Console(width=width, **{"color_system": None, **options})
    with console.capture() as capture:
        console.print(marked(text, triples))
    return capture.get()


class TestTerminal:
    def test_sentence_and_triples_by_subject(self, show):
        result = show(EXAMPLE.text)
        assert result.exit_code == 0, result.stderr
        sentence, subject, *rest = result.stdout.splitlines()
        assert sentence == EXAMPLE.text
        assert subject == "远山的灯 影视作品"
        assert len([line for line in rest if "▸" in line]) == len(EXAMPLE.triples)
        assert "主演 ▸ 何雨晴 人物" in result.stdout

    def test_mentions_are_marked_in_colour(self):
        coloured = printed(EXAMPLE.text, ROWS, color_system="truecolor", force_terminal=True)
        assert "\x1b[1;38;2;255;255;255;48;2;7;86;179m" in coloured or "48;2;7;86;179m远山的灯" in coloured

    def test_what_lies_within_is_marked_on_top(self):
        text = "鲁迅自传"
        within = {"subject": {"text": text, "start": 0, "end": 4, "type": ""}, "predicate": "主角", "qualifiers": {},
                  "object": {"text": "鲁迅", "start": 0, "end": 2, "type": ""}}  # fmt: skip
        sentence = marked(text, [within]).renderables[0]
        assert [sentence.get_style_at_offset(Console(), at).bgcolor.name for at in (0, 1, 2, 3)] == [
            "#ffcf5c",
            "#ffcf5c",
            "#0756b3",
            "#0756b3",
        ]

    def test_two_roles_and_qualifiers(self):
        def mention(text, start):
            return {"text": text, "start": start, "end": start + 1, "type": ""}

        period = {"期间": mention("丙", 2)}
        typed, nowhere = {**mention("乙", 1), "type": "T"}, {"text": "无处", "type": ""}
        chain = [
            {"subject": mention("甲", 0), "predicate": "p", "object": typed, "qualifiers": {}, "score": 0.25},
            {"subject": mention("乙", 1), "predicate": "谓词", "object": nowhere, "qualifiers": period},
        ]
        sentence = marked("甲乙丙", chain).renderables[0]
        colours = [sentence.get_style_at_offset(Console(), at).bgcolor.name for at in range(3)]
        assert colours == ["#0756b3", "#7fd6c2", "#7440c2"]
        shown = printed("甲乙丙", chain)
        assert "p    ▸ 乙 T  0.25" in shown
        assert "谓词 ▸ 无处" in shown
        assert "期间 ▸ 丙" in shown

    def test_no_triples_and_nothing_to_obey(self):
        assert printed("白露[bold]\x1b[31m\ud800", []) == "白露[bold]\ufffd[31m\ufffd\nno triples\n\n"

    def test_lines_from_stdin(self, show):
        result = show("-", stdin=f"{EXAMPLE.text}\n{builders.EXAMPLES[1].text}\n")
        assert EXAMPLE.text in result.stdout
        assert builders.EXAMPLES[1].text in result.stdout

    def test_thresholds_reach_the_model(self, show):
        assert "no triples" in show(EXAMPLE.text, "--threshold", "1").stdout
        assert "no triples" in show(EXAMPLE.text, "--score-threshold", "1", "--no-rules").stdout


class TestFiles:
    def test_a_page_of_several_texts(self, show):
        result = show(EXAMPLE.text, builders.EXAMPLES[1].text, "--output", "page.html")
        assert result.exit_code == 0, result.stderr
        assert "the drawing is in page.html" in result.stderr
        page = Path("page.html").read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert page.count('<div class="hf-spo">') == 2

    def test_a_picture_of_one(self, show):
        assert show(EXAMPLE.text, "--output", "one.SVG", "--width", "300").exit_code == 0
        root = ElementTree.parse("one.SVG").getroot()
        assert float(root.get("width", "")) <= 300
        assert "主演" in "".join(root.itertext())

    def test_what_extract_wrote_needs_no_model(self, show):
        file = write_rows(Path("triples.jsonl"), [{"text": EXAMPLE.text, "triples": ROWS}])
        assert show("--input", str(file), "--output", "one.svg").exit_code == 0
        assert Path("one.svg").read_text(encoding="utf-8") == render(EXAMPLE.text, ROWS, "svg")
        assert "主演 ▸ 何雨晴" in show("--input", str(file)).stdout

    def test_bad_lines_can_be_set_aside(self, show):
        rows = [{"text": EXAMPLE.text, "triples": ROWS}, {"text": "白露"}]
        file = write_rows(Path("triples.jsonl"), rows)
        assert "correct the line" in one_line_error(show("--input", str(file), "--output", "page.html"), 1)
        assert not Path("page.html").exists()
        assert show("--input", str(file), "--output", "page.html", "--skip-bad-lines").exit_code == 0
        assert Path("triples.jsonl.bad.jsonl").exists()

    @pytest.mark.parametrize(("count", "came"), [(0, "none"), (2, "several")])
    def test_a_picture_is_of_one_text(self, show, count, came):
        message = one_line_error(show("-", "--output", "one.svg", stdin=f"{EXAMPLE.text}\n" * count), 1)
        assert f"there are {came}; name a page of many .html" in message
        assert not Path("one.svg").exists()

    @pytest.mark.parametrize(
        ("words", "problem"),
        [
            (["--output", "one.png", "x"], "--output one.png: expected .html, a page, or .svg"),
            ([], "expected either TEXT"),
            (["x", "--input", __file__], "expected either TEXT"),
            (["x", "--width", "10"], "greater than or equal to 160"),
        ],
    )
    def test_wrong_usage(self, run, words, problem):
        assert problem in one_line_error(run("show", *words), 2)
