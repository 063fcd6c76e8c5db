"""Token counts that work offline, with OpenAI's o200k_base.

tiktoken downloads its encodings; litellm's wheel carries them under tiktoken's own cache names, so the folder is found
without importing litellm and lent to tiktoken while it loads. Only OpenAI publishes its tokenizer: for every other
provider the same count is an estimate.

A run of over a thousand characters without a space, or of nothing but spaces, is cut before it is counted: older
tiktoken releases need time in the square of its length, and every release refuses a long enough run of spaces. Cuts
fall where the encoding splits anyway, between a letter or digit and what ends its piece, and change nothing there.
Where half a chunk offers no such place the cut is a hard one and may move the count: by under one token a cut on
average in megabytes of repeated and random characters, and by four at most in any text the tests try.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from playground.records import Message

if TYPE_CHECKING:
    from tiktoken import Encoding

ENCODING = "o200k_base"
MESSAGE_TOKENS = 3
"""What the chat format adds to each message, besides the role itself."""
REPLY_TOKENS = 3
"""What the chat format adds once, to open the reply."""
CHUNK = 1024
"""Characters of an unbroken run that are encoded together. A power of two: repeats of one character then cut evenly."""

KEPT_CHARS = 20_000
"""A longer part is counted anew each time, so that what is kept stays small."""
_SAFE = re.compile(r"(?<=\n)(?=[^\s/])")
_CACHE_VARIABLE = "TIKTOKEN_CACHE_DIR"
_LOCK = Lock()
# The lookbehinds keep the search linear: a run is tried from its first character only.
_LONG_RUN = re.compile(rf"(?<!\S)\S{{{CHUNK + 1},}}|(?<!\s)\s{{{CHUNK + 1},}}")
_LONG_SPACE = re.compile(rf"\s{{{CHUNK + 1}}}")
# A letter before punctuation ends a piece, unless it opens a contraction such as 's; a digit never joins a letter.
_SAFE_CUT = re.compile(
    r"(?<=[^\W\d_])(?=[!\"#$%&()*+,./:;<=>?@\[\\\]^`{|}~\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f])"
    r"|(?<=[0-9])(?=[^\W\d])"
)


def count(text: str) -> int:
    """Tokens of `text`; text that looks like a special token counts as text, a lone surrogate as U+FFFD."""
    encode = _encoding().encode_ordinary
    if not _has_long_run(text):
        return len(encode(text))
    return sum(len(encode(part)) for part in _parts(text))


def count_messages(messages: Sequence[Message]) -> int:
    """Input tokens of a chat request: each message's role and content, the overhead per message, and the reply's.

    The same as litellm's `token_counter` for gpt-4o up to 1,024 characters a message; beyond, litellm encodes slices of
    that size and counts about one token more for each.
    """
    contents = (count_fixed(m.content) if m.role == "system" else count_in_parts(m.content) for m in messages)
    return sum(contents) + sum(count_fixed(m.role) + MESSAGE_TOKENS for m in messages) + REPLY_TOKENS


def count_in_parts(text: str) -> int:
    """The same as `count`, part by part: a ticket and its passages stand in many prompts and are encoded once.

    The encoding never joins what stands on either side of a line break before something that is neither blank nor a slash.
    """
    return sum(count_fixed(part) if len(part) <= KEPT_CHARS else count(part) for part in split(text))


def split(text: str) -> list[str]:
    """The text in parts whose tokens add up to the whole's."""
    return _SAFE.split(text)


@lru_cache(maxsize=1024)
def count_fixed(text: str) -> int:
    """Tokens of a text that comes again with every ticket, such as a system message; counted once."""
    return count(text)


@cache
def _encoding() -> Encoding:
    import tiktoken

    with _LOCK, _tokenizers_lent():
        return tiktoken.get_encoding(ENCODING)


@contextmanager
def _tokenizers_lent() -> Iterator[None]:
    """Point tiktoken's cache at litellm's bundled encodings, unless the user has pointed it somewhere."""
    folder = _tokenizer_folder()
    if folder is None or _CACHE_VARIABLE in os.environ:
        yield
        return
    os.environ[_CACHE_VARIABLE] = str(folder)
    try:
        yield
    finally:
        del os.environ[_CACHE_VARIABLE]


def _tokenizer_folder() -> Path | None:
    spec = find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0], "litellm_core_utils", "tokenizers")


def _has_long_run(text: str) -> bool:
    """Whether the text needs cutting; far cheaper than looking for the place, and almost always false."""
    if len(text) <= CHUNK:
        return False
    return max(map(len, text.split()), default=0) > CHUNK or _LONG_SPACE.search(text) is not None


def _parts(text: str) -> Iterator[str]:
    """Yield the text in pieces that can be encoded one by one; a text without a long run is one piece."""
    start = 0
    for run in _LONG_RUN.finditer(text):
        for end in _cuts(text, run.start(), run.end()):
            yield text[start:end]
            start = end
    yield text[start:]


def _cuts(text: str, start: int, stop: int) -> Iterator[int]:
    """Yield where to cut the run `text[start:stop]`, so that no piece of it is longer than a chunk."""
    while stop - start > CHUNK:
        safe = [found.start() for found in _SAFE_CUT.finditer(text, start + CHUNK // 2, start + CHUNK)]
        start = safe[-1] if safe else start + CHUNK
        yield start
