import re
import sys
from functools import partial
from xml.etree import ElementTree

import pytest

from hf_spo.metrics import TripleScore, figures
from hf_spo.metrics.breakdown import Group
from hf_spo.metrics.figures import Plot
from hf_spo.metrics.plots import PLOT_NAMES, draw_length, draw_relations, draw_reliability, draw_threshold
from hf_spo.metrics.reliability import reliability, threshold_curve

SCORES, RIGHT = [0.2, 0.5, 0.7, 0.9, 1.0], [False, True, False, True, True]


def plot(name, draw, *values):
    return Plot(name, partial(draw, *values))


PLOTS = {
    "reliability": lambda: plot("reliability", draw_reliability, reliability(SCORES, RIGHT)),
    "length": lambda: plot(
        "length", draw_length, [Group("0–25", TripleScore(1, 2, 3), 1234), Group("26–50", TripleScore(0, 0, 0), 1)]
    ),
    "threshold": lambda: plot("threshold", draw_threshold, threshold_curve(SCORES, RIGHT, 6)),
    "one point": lambda: plot("reliability", draw_reliability, reliability([0.5], [True])),
    "relations": lambda: plot(
        "relations",
        draw_relations,
        [Group("作品 主演", TripleScore(1, 2, 3), 2), Group("a $x$ \x00", TripleScore(0, 1, 1), 1)],
    ),
    "no groups": lambda: plot("length", draw_length, []),
}


@pytest.fixture(scope="module", params=PLOTS)
def svg(request):
    return PLOTS[request.param]().for_page()


def test_is_one_svg_element_with_text_as_text(svg):
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox")
    assert root.get("width") is None
    assert "1.0" in "".join(root.itertext())


def test_leaves_colours_and_the_rest_of_the_page_alone(svg):
    assert not re.search(r"#0[1-5]0[1-5]0[1-5]", svg)
    assert "var(--ink)" in svg
    assert "<style" not in svg
    assert "<metadata" not in svg


def test_names_are_the_plot_s_own_and_found():
    names = {
        title: set(re.findall(r'\bid="([^"]+)"', PLOTS[title]().for_page()))
        for title in ("reliability", "length", "threshold")
    }
    assert all(name.startswith(f"{title}-") for title, own in names.items() for name in own)
    for title, own in names.items():
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', PLOTS[title]().for_page()))
        assert used
        assert used <= own


def test_is_the_same_every_time():
    assert PLOTS["reliability"]().for_page() == PLOTS["reliability"]().for_page()


def test_numbers_are_shown():
    assert "1,234" in PLOTS["length"]().for_page()
    assert "precision" in PLOTS["threshold"]().for_page()


@pytest.mark.parametrize("name", PLOT_NAMES)
def test_files_have_colours_of_their_own(name):
    plot = PLOTS[name]()
    assert plot.name == name
    files = plot.files()
    svg = files[f"{name}.svg"].decode()
    assert ElementTree.fromstring(svg).get("width")
    assert "var(" not in svg
    assert figures.FILE.first in svg
    if name != "relations":
        assert files[f"{name}.png"].startswith(b"\x89PNG")


def test_a_png_needs_a_font_and_an_svg_does_not(monkeypatch):
    monkeypatch.setattr(figures, "_families", lambda: ["DejaVu Sans"])
    files = PLOTS["relations"]().files()
    assert list(files) == ["relations.svg"]
    assert "作品 主演" in files["relations.svg"].decode()
    latin = plot("relations", draw_relations, [Group("film director", TripleScore(1, 2, 3), 2)])
    assert list(latin.files()) == ["relations.svg", "relations.png"]


def test_a_chinese_font_is_taken_where_there_is_one(monkeypatch):
    def fonts(*names):
        figures._families.cache_clear()
        monkeypatch.setattr(figures.fontManager, "get_font_names", lambda: list(names))
        return figures._families()

    assert fonts("SimHei", "Noto Sans CJK SC") == ["DejaVu Sans", "Noto Sans CJK SC"]
    assert fonts("Arial") == ["DejaVu Sans"]
    figures._families.cache_clear()


def test_matplotlib_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "hf_spo.metrics.plots")
    monkeypatch.delitem(sys.modules, "hf_spo.metrics.figures")
    with pytest.raises(ImportError, match=r"pip install 'hf-spo\[report\]'"):
        __import__("hf_spo.metrics.plots")
