"""Read HTML strictly, for tests of pages."""

from html.parser import HTMLParser


class StrictPage(HTMLParser):
    """Reads a page strictly: every tag is closed in order; texts and attributes are kept."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.shown = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.shown.append(data)

    @property
    def text(self):
        return "".join(self.shown)
