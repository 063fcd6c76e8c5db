"""A file's bytes as UTF-8, whatever it is written in, for a parser that takes nothing else."""

from __future__ import annotations

import codecs
from typing import IO

from playground.logs.lines import FALLBACK, marked_encoding
from playground.logs.log_read import LogRead


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode(FALLBACK, "replace"), error.end


codecs.register_error("playground_windows", _as_windows)


class Utf8Bytes:
    """A file to read from, in blocks."""

    def __init__(self, file: IO[bytes], size: int, read: LogRead) -> None:
        self._file, self._size, self._read = file, size, read
        encoding = marked_encoding(file.read(4))
        file.seek(0)
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")

    def read(self, size: int) -> bytes:
        """The next block."""
        text = ""
        while not text:
            raw = self._file.read(size)
            text = self._decoded(raw).replace("\0", "")
            if not raw or not size:
                break
        self._read.share = min(1.0, self._file.tell() / max(self._size, 1))
        return text.encode("utf-8", "replace")

    def _decoded(self, raw: bytes) -> str:
        try:
            return self._decoder.decode(raw, final=not raw)
        except UnicodeDecodeError:
            self._decoder.errors = "playground_windows"
            self._read.remark(f"{self._read.file}: bytes that are not UTF-8 are read as {FALLBACK}.")
            return self._decoder.decode(raw, final=not raw)
