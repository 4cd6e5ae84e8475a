import re
import sys
from xml.etree import ElementTree

import pytest

from hf_spo.metrics import TripleScore
from hf_spo.metrics.breakdown import Group
from hf_spo.metrics.plots import length_plot, reliability_plot, threshold_plot
from hf_spo.metrics.reliability import reliability, threshold_curve

SCORES, RIGHT = [0.2, 0.5, 0.7, 0.9, 1.0], [False, True, False, True, True]
PLOTS = {
    "reliability": lambda: reliability_plot(reliability(SCORES, RIGHT)),
    "length": lambda: length_plot([Group("0–25", TripleScore(1, 2, 3), 1234), Group("26–50", TripleScore(0, 0, 0), 1)]),
    "threshold": lambda: threshold_plot(threshold_curve(SCORES, RIGHT, 6)),
    "one point": lambda: reliability_plot(reliability([0.5], [True])),
    "no groups": lambda: length_plot([]),
}


@pytest.fixture(scope="module", params=PLOTS)
def svg(request):
    return PLOTS[request.param]()


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
        title: set(re.findall(r'\bid="([^"]+)"', PLOTS[title]())) for title in ("reliability", "length", "threshold")
    }
    assert all(name.startswith(f"{title}-") for title, own in names.items() for name in own)
    for title, own in names.items():
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', PLOTS[title]()))
        assert used
        assert used <= own


def test_is_the_same_every_time():
    assert PLOTS["reliability"]() == PLOTS["reliability"]()


def test_numbers_are_shown():
    assert "1,234" in PLOTS["length"]()
    assert "precision" in PLOTS["threshold"]()


def test_matplotlib_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "hf_spo.metrics.plots")
    with pytest.raises(ImportError, match=r"pip install 'hf-spo\[report\]'"):
        __import__("hf_spo.metrics.plots")
