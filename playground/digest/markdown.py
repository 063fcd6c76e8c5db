"""A digest as Markdown. Names from outside are escaped: they are text wherever it is shown."""

from __future__ import annotations

from playground.digest import Digest
from playground.digest.words import Section, headline, origin, sections, title

_MEANT = frozenset("\\`*_{}[]()<>#+-.!|~$:&\"'@")


def as_markdown(digest: Digest) -> str:
    """The whole message."""
    parts = [f"# {inert(title(digest))}", f"**{inert(headline(digest))}**", f"_{inert(origin(digest))}_"]
    return "\n\n".join([*parts, *map(_section, sections(digest))]) + "\n"


def _section(section: Section) -> str:
    note = f" ({inert(section.note)})" if section.note else ""
    rows = (f"- **{inert(row.name)}**: {inert(row.said)}" for row in section.rows)
    return "\n".join([f"## {section.title}{note}", "", *rows])


def inert(text: str) -> str:
    """Text without meaning in Markdown: every character that has one is escaped, and there is one line."""
    return "".join(f"\\{c}" if c in _MEANT else c for c in " ".join(text.split()))
