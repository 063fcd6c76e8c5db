"""The lines of a text file, one after another, whatever its encoding: each is read as UTF-8, and else as a guess says."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, AnyStr

from playground.logs.log_read import LogRead

LONGEST = 32 * 1024 * 1024
"""No line is longer; a file of one endless line must not fill the memory."""
FALLBACK = "cp1252"
_HEAD = 64 * 1024
_SAMPLED = 256 * 1024
_EVERY = 1_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def marked_encoding(head: bytes) -> str:
    """The encoding that a byte order mark names; UTF-8 where there is none."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8")


def lines(path: Path, read: LogRead) -> Iterator[tuple[int, str]]:
    """Each line with its number. A line that is too long is left out and named."""
    size = max(1, path.stat().st_size)
    with path.open("rb") as file, ExitStack() as opened:
        for number, line in _decoded_lines(file, opened, path, read):
            if number % _EVERY == 0:
                read.share = min(1.0, file.tell() / size)
            yield number, line if "\0" not in line else _without_nul(number, line, read)


def _decoded_lines(file: IO[bytes], opened: ExitStack, path: Path, read: LogRead) -> Iterator[tuple[int, str]]:
    head = file.read(_HEAD)
    encoding = marked_encoding(head)
    file.seek(len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0)
    if encoding in ("utf-16", "utf-32"):
        read.remark(f"{read.file}: read as {encoding.upper()}.")
        text = opened.enter_context(io.TextIOWrapper(file, encoding, errors="replace", newline=""))
        return _numbered(text, read)
    if b"\n" in head or b"\r" not in head:
        return _decoded(file, path, read)
    return _decoded(_old_mac(opened.enter_context(io.TextIOWrapper(file, "latin-1", newline=None))), path, read)


def _without_nul(number: int, line: str, read: LogRead) -> str:
    if not any("NUL" in note for note in read.notes):
        read.remark(f"{read.file}, line {number}: NUL bytes are taken out, here and below.")
    return line.replace("\0", "")


def _old_mac(text: io.TextIOWrapper) -> IO[bytes]:
    """Lines that end in a carriage return alone, as old Excel for Mac writes them."""
    recoded: IO[bytes] = _Recoded(text)  # type: ignore[assignment]
    return recoded


class _Recoded:
    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def readline(self, size: int) -> bytes:
        return self._text.readline(size).encode("latin-1")


def _numbered(file: IO[AnyStr], read: LogRead) -> Iterator[tuple[int, AnyStr]]:
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        if len(line) == LONGEST:
            while len(file.readline(LONGEST)) == LONGEST:
                pass
            read.lose(number, f"the line has over {LONGEST // 2**20} MB; it is not read.")
        else:
            yield number, line


def _decoded(raw: IO[bytes], path: Path, read: LogRead) -> Iterator[tuple[int, str]]:
    decoder = _Decoder(path, read)
    start = 0
    for number, line in _numbered(raw, read):
        try:
            yield number, line.decode()
        except UnicodeDecodeError:
            yield number, decoder.decoded(line, number, start)
        start += len(line)


class _Decoder:
    """Lines that are not UTF-8, by a guess that the first of them lead to."""

    def __init__(self, path: Path, read: LogRead) -> None:
        self._path, self._read = path, read
        self._encoding = ""

    def decoded(self, raw: bytes, number: int, start: int) -> str:
        if not self._encoding:
            self._encoding = guessed_encoding(_bad_lines(self._path, start))
            said = f"lines that are not UTF-8 are read as {self._encoding}. The first is line {number}."
            self._read.remark(f"{self._read.file}: {said}")
        return raw.decode(self._encoding, "replace")


def _bad_lines(path: Path, start: int) -> bytes:
    """The first lines from here on that are not UTF-8: a guess from one line alone would be a poor one."""
    with path.open("rb") as file:
        file.seek(start)
        return b"".join(line for line in file.read(_SAMPLED).splitlines(keepends=True) if _is_bad(line))


def _is_bad(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def guessed_encoding(sample: bytes) -> str:
    """What a text that is not UTF-8 is written in; Windows-1252, which spreadsheets write, where little tells.

    In a Latin script few bytes tell one encoding from another, so a guess without a language behind it is not taken.
    """
    from charset_normalizer import from_bytes

    matches = from_bytes(sample[:_HEAD])
    best = matches.best()
    if best is None or best.encoding.startswith(("utf", "ascii")):
        return FALLBACK
    same = next((m for m in matches if m.encoding == FALLBACK), None)
    if same is not None and same.coherence >= best.coherence:
        return FALLBACK
    foreign = sum(b > 127 for b in sample) > 0.3 * len(sample)
    return best.encoding if foreign or best.coherence > 0 else FALLBACK
