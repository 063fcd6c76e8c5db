"""Addresses in a text: every host that a link, a bare name or an e-mail address leads to, and markup that loads one.

A bare name counts as a host by its ending, from the list of top-level domains. So a name such as `user.name` in an example of code
is taken for one, unless an article says it too: a needless look by a person is the cheaper mistake.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from playground.errors import BadInput
from playground.guardrails.readings import SURE_ENDINGS, decoded, endings, opened
from playground.runtime import DOMAIN, LABEL

_STOP = r"\s\"'<>`)\]}|"
_TAIL = rf"(?::\d+)?(?:[/?#][^{_STOP}]*)?"
_URL = re.compile(
    rf"(?<![^\W_])[a-z][a-z0-9+.-]{{1,20}}:[/\\]+(?P<authority>[^{_STOP}/?#]*)(?P<tail>[/?#][^{_STOP}]*)?",
    re.IGNORECASE,
)
_MAIL = re.compile(rf"[^\s@<>()\[\]{{}},;:\"']{{1,64}}@(?P<host>\[?{LABEL}(?:\.{LABEL})*)")
_WWW = re.compile(rf"(?<![^\W_])(?P<host>www\d{{0,2}}\.{LABEL}(?:\.{LABEL})*){_TAIL}", re.IGNORECASE)
_BARE = re.compile(rf"(?<![\w@])(?P<host>(?:{LABEL}(?:_{LABEL})*\.)+(?P<ending>{LABEL})){_TAIL}")
_SHARE = re.compile(rf"\\\\(?P<host>{LABEL}(?:\.{LABEL})*)\\")
_NUMBERS = re.compile(r"(?<![\w.])(?P<host>\d{1,3}(?:\.\d{1,3}){3})(?![\w])")
_SCRIPT = re.compile(
    r"\b(?:java|vb)script\s*:\s*\S|\bdata:[a-z]+/|\b(?:skype|tg|whatsapp|viber|sgnl|facetime):\w", re.IGNORECASE
)
_IMAGE = re.compile(r"!\[")
_MARKUP = re.compile(
    r"<\s*/?\s*(?:a|img|image|script|iframe|link|form|svg|object|embed|video|audio|source|meta|base|style|input|button)"
    r"(?=[\s/>])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sites:
    """The sites that an answer may name: these domains and everything under them. Raises `BadInput` for what is no domain."""

    domains: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for domain in self.domains:
            if not DOMAIN.fullmatch(domain):
                raise BadInput(
                    f"Allowed sites: {domain!r} is no domain. Write it like example.com, without http:// and path."
                )
        object.__setattr__(self, "domains", tuple(map(_written, self.domains)))

    def allow(self, host: str) -> bool:
        """Whether a host is one of the domains or under one of them."""
        return any(host == d or host.endswith(f".{d}") for d in self.domains)


def foreign(text: str, sites: Sites, known: Collection[str] = ()) -> tuple[str, ...]:
    """The hosts that a text leads to and that are neither allowed nor `known`, in order; "" is one that cannot be read for sure."""
    return tuple(h for h in hosts(text) if h not in known and not sites.allow(h))


def hosts(text: str) -> tuple[str, ...]:
    """Every host that a text leads to, once, in its own reading or a decoded one."""
    plain = (opened(text), *map(opened, decoded(text)))
    return tuple(dict.fromkeys(_written(h) for said in plain for h in _hosts(said)))


def loads(text: str) -> bool:
    """Whether a text holds an image, a script or markup that a reader's program would load or run."""
    return any(p.search(said) for said in (text, opened(text)) for p in (_IMAGE, _SCRIPT, _MARKUP))


def _hosts(text: str) -> Iterator[str]:
    # What was read is blanked, so that a path is not read as another address; one that is written out inside it still is.
    for pattern, read in (
        (_URL, _of_url),
        (_MAIL, _named),
        (_WWW, _named),
        (_SHARE, _named),
        (_NUMBERS, _named),
        (_BARE, _of_bare),
    ):
        found = list(pattern.finditer(text))
        for match in found:
            yield from read(match)
        text = _blanked(text, (m.span() for m in found))


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    kept, at = [], 0
    for start, end in spans:
        kept += [text[at:start], " "]
        at = end
    return "".join([*kept, text[at:]])


def _named(match: re.Match[str]) -> Iterator[str]:
    yield match["host"]


def _of_url(match: re.Match[str]) -> Iterator[str]:
    # Programs disagree on what a backslash or a name before an @ means, so neither is read kindly.
    authority = match["authority"]
    yield "" if "\\" in authority else re.sub(r":\d*$", "", authority.rpartition("@")[2])
    yield from _hosts_inside(match["tail"] or "")


def _hosts_inside(tail: str) -> Iterator[str]:
    for inner in _URL.finditer(tail):
        yield from _of_url(inner)


def _of_bare(match: re.Match[str]) -> Iterator[str]:
    host, ending = match["host"], match["ending"].lower()
    known = ending in endings() or ending.startswith("xn--")
    # No registered name has an underscore, but many a field of an API does: entry.id is one, time_entry.com is none.
    field = "_" in host and ending not in SURE_ENDINGS
    clock = ending in ("am", "pm") and all(label.isdecimal() and len(label) < 3 for label in host.split(".")[:-1])
    if known and not field and not clock:
        yield host
        yield from _hosts_inside(match[0][len(host) :])


def _written(host: str) -> str:
    """A host in one way of writing: lower case, names of other alphabets in punycode."""
    low = host.strip("[].").lower()
    if low.isascii():
        return low
    try:
        return low.encode("idna").decode("ascii")
    except UnicodeError:
        return low
