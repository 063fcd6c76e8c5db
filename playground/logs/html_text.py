"""The text of an HTML body, as a reader sees it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_HTML = re.compile(r"\s*<(?:!doctype|html|body|head|p|div|span|table|br|ul|ol|h[1-6]|blockquote)\b", re.IGNORECASE)
_CLOSED = re.compile(r"</(?:html|body|p|div|span|table|ul|ol|h[1-6]|blockquote)\s*>|<br\s*/?>", re.IGNORECASE)
_BREAKS = frozenset("p div br tr li ul ol table h1 h2 h3 h4 h5 h6 blockquote pre section article hr".split())
_UNSEEN = frozenset(("script", "style", "head", "title"))
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_LINES = re.compile(r" ?\n ?")
_GAPS = re.compile(r"\n{3,}")


def is_html(text: str) -> bool:
    """Whether a text is a body of HTML, and not a text that speaks of a tag."""
    return _HTML.match(text) is not None and _CLOSED.search(text) is not None


def html_text(html: str) -> str:
    """The text, with a line for each block."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    text = _LINES.sub("\n", _SPACES.sub(" ", "".join(parser.parts)))
    return _GAPS.sub("\n\n", text).strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        if tag in _BREAKS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(" ".join(data.split("\n")))
