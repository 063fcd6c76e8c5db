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
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from playground.records import Message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
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
_TOGETHER_CHARS = 1_000_000
_SAFE = re.compile(r"(?<=\n)(?=[^\s/])")
_UNSAFE_STARTS = frozenset(chr(i) for i in range(0x3001) if chr(i).isspace()) | {"", "/"}
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


def count_many(texts: Sequence[str]) -> NDArray[np.int64]:
    """Tokens of each text on its own, the same as `count`, for thousands at a time.

    Lines that open and end where the encoding splits anyway are encoded as one text, and told apart by the bytes of their tokens.
    """
    import numpy as np

    found = np.zeros(len(texts), np.int64)
    is_line = np.fromiter(map(_is_line, texts), np.bool_, len(texts))
    lines = np.flatnonzero(is_line)
    chars = np.cumsum(np.fromiter((len(texts[i]) for i in lines.tolist()), np.int64, len(lines)))
    for rows in np.split(lines, np.flatnonzero(np.diff(chars // _TOGETHER_CHARS)) + 1):
        if len(rows):
            found[rows] = _count_lines([texts[i] for i in rows.tolist()])
    for i in np.flatnonzero(~is_line).tolist():
        found[i] = count(texts[i])
    return found


def is_safe_start(text: str) -> bool:
    """Whether what stands before a text, after a line break, is never joined with it."""
    return text[:1] not in _UNSAFE_STARTS


def _is_line(text: str) -> bool:
    return text[-1:] == "\n" and text[:1] not in _UNSAFE_STARTS and (len(text) <= CHUNK or not _has_long_run(text))


def _count_lines(lines: Sequence[str]) -> NDArray[np.int64]:
    import numpy as np

    whole = "".join(lines)
    try:
        ids = _encoding().encode_to_numpy(whole, disallowed_special=())
    except UnicodeEncodeError:  # half an emoji somewhere
        return np.array([count(line) for line in lines], np.int64)
    ends = np.cumsum(_token_bytes()[ids])
    sizes = map(len, lines) if whole.isascii() else (len(x) if x.isascii() else len(x.encode()) for x in lines)
    bounds = np.cumsum(np.fromiter(sizes, np.int64, len(lines)))
    last = np.searchsorted(ends, bounds)
    if not np.array_equal(ends[np.minimum(last, len(ends) - 1)], bounds):
        # No text is known that gets here; a count that cannot be told apart is not guessed.
        return np.array([count(line) for line in lines], np.int64)
    return np.asarray(np.diff(last + 1, prepend=0), np.int64)


@cache
def _token_bytes() -> NDArray[np.int64]:
    """How many bytes each token stands for."""
    import numpy as np

    encoding = _encoding()
    sizes = np.zeros(encoding.n_vocab, np.int64)
    for number in range(encoding.n_vocab):
        # The special tokens' numbers have gaps between them.
        with suppress(KeyError):
            sizes[number] = len(encoding.decode_single_token_bytes(number))
    return sizes


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
