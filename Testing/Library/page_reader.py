"""Reads a page as a browser would: what is visible, its sections, tables and drawings."""

import re
from html.parser import HTMLParser

_EMPTY = {"meta", "input", "br", "img", "link"}
_NOT_SHOWN = {"style", "script", "title"}


class Page(HTMLParser):
    """A page, read to its end; tags that are not closed, or closed twice, are errors."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.source = text
        self.elements = []  # (tag, attributes, tags around it)
        self.texts = []  # (text, tags around it)
        self.tables = []
        self._open, self._cell = [], None
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes, tuple(self._open)))
        if tag not in _EMPTY:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = []

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}, tuple(self._open)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag, (tag, self._open)
        if tag in ("td", "th"):
            self.tables[-1][-1].append("".join(self._cell))
            self._cell = None

    def handle_data(self, data):
        self.texts.append((data, tuple(self._open)))
        if self._cell is not None:
            self._cell.append(data)

    @property
    def visible(self):
        """The text that people see."""
        return " ".join(text.strip() for text, around in self.texts if not _NOT_SHOWN & set(around) and text.strip())

    @property
    def spoken(self):
        """The visible text, and what screen readers say of pictures."""
        return " ".join(
            [self.visible, *(found["aria-label"] for _, found, _ in self.elements if "aria-label" in found)]
        )

    @property
    def sections(self):
        """Names of the sections, from the top down."""
        return [found["id"] for tag, found, _ in self.elements if tag == "section"]

    def all(self, tag, **wanted):
        """Attributes of all elements of a tag, with these values."""
        found = [attributes for name, attributes, _ in self.elements if name == tag]
        return [each for each in found if all(each.get(key) == value for key, value in wanted.items())]

    def table(self, *heads):
        """The rows below the first table whose head has all of these words."""
        for rows in self.tables:
            if all(any(head in cell for cell in rows[0]) for head in heads):
                return rows
        raise AssertionError(f"no table of {heads} among {[rows[0] for rows in self.tables]}")


def snake_case(text):
    """Words of the software rather than of people."""
    return re.findall(r"\b[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+\b", text)


def too_exact(text):
    """Numbers with more than two decimals, unless they are below 0.1 and have two digits behind the zeros."""
    found = re.findall(r"\d+\.\d+", text)
    return [each for each in found if len(each.split(".")[1]) > 2 and not re.fullmatch(r"0\.0+[1-9]\d?", each)]
