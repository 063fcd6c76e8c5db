"""A digest as Slack's Block Kit. Limits are those of docs.slack.dev: 50 blocks, 3,000 characters a text, 150 a header.

Names from outside stand in plain text, where no Markdown, mention or link is read, and &, < and > are written as Slack asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from playground.digest import Digest
from playground.digest.words import Row, Section, headline, origin, sections, title

MOST_BLOCKS = 50
LONGEST_TEXT = 3_000
LONGEST_HEADER = 150
MORE = "\u2026 and more in the ledger."
Block = dict[str, Any]


def payload(digest: Digest) -> dict[str, Any]:
    """What an incoming webhook takes: the blocks, and a text for notifications that holds no name."""
    text = escaped(f"{title(digest)}: {headline(digest)}")
    return {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "blocks": blocks(digest)}


def blocks(digest: Digest) -> list[Block]:
    """The message, at most `MOST_BLOCKS` blocks."""
    head = {"type": "header", "text": _plain(title(digest), LONGEST_HEADER)}
    found = [head, _text(headline(digest)), {"type": "context", "elements": [_plain(origin(digest))]}]
    for section in sections(digest):
        found += [{"type": "divider"}, *_section(section)]
    return found if len(found) <= MOST_BLOCKS else [*found[: MOST_BLOCKS - 1], _text(MORE)]


def _section(section: Section) -> Iterator[Block]:
    note = f" ({section.note})" if section.note else ""
    yield {"type": "section", "text": {"type": "mrkdwn", "text": f"*{escaped(section.title + note)}*"}}
    yield from (_section_of(lines) for lines in _filled(section.rows))


def _filled(rows: Sequence[Row]) -> Iterator[list[str]]:
    """Lines by the block; none is cut inside an escaped character."""
    lines: list[str] = []
    for line in (escaped(f"{row.name}: {row.said}") for row in rows):
        if lines and sum(map(len, lines)) + len(lines) + len(line) > LONGEST_TEXT:
            yield lines
            lines = []
        lines.append(line)
    if lines:
        yield lines


def _section_of(lines: Sequence[str]) -> Block:
    return {"type": "section", "text": {"type": "plain_text", "text": "\n".join(lines), "emoji": False}}


def _text(said: str) -> Block:
    return {"type": "section", "text": _plain(said)}


def _plain(said: str, longest: int = LONGEST_TEXT) -> dict[str, Any]:
    return {"type": "plain_text", "text": escaped(said)[:longest], "emoji": False}


def escaped(text: str) -> str:
    """The three characters that mean something to Slack, written as it asks."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
