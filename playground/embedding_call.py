"""One call for vectors: read in a thread of its own, so that it can be cancelled and held to its time like a streamed answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, NoReturn

from playground.errors import CallFailed, Cancelled
from playground.records import Completion, Request, Usage
from playground.redact import Failure, Who, failure
from playground.watch import Watch

_POLL_S = 0.05
Vectors = tuple[tuple[float, ...], ...]


def embedded(request: Request, watch: Watch, who: Who, ask: Callable[[], Any], counts: bool) -> Completion:
    """The vectors that `ask` brings, one for each message. `counts` says whether the usage in its answer is the provider's own.

    Raises `CallFailed` or `Cancelled`; where the call was sent, its input is billed as we count it.
    """
    started, items = perf_counter(), SimpleQueue[Any]()
    threading.Thread(target=_read, args=(ask, who, items), name="gateway", daemon=True).start()

    def partial(why: str) -> Completion:
        return _completion(request, started, Usage(request.prompt.input_tokens, 0), (), why)

    found = _awaited(items, watch, started + request.timeout_s)
    if found is watch:
        raise Cancelled(partial=partial("cancelled"))
    if found is None or (isinstance(found, Failure) and found.kind == "timeout"):
        message = f"{who.provider} did not embed the text within {request.timeout_s:g} seconds. Try again later."
        raise CallFailed("timeout", message, partial("timeout"))
    if isinstance(found, Failure):
        _fail(found, who, partial("cut") if found.sent else None)
    return _whole(request, started, found, who, counts)


def _read(ask: Callable[[], Any], who: Who, items: SimpleQueue[Any]) -> None:
    """Errors become sentences here: no exception that holds a key leaves."""
    try:
        items.put(ask())
    except Exception as error:
        items.put(failure(error, who))


def _awaited(items: SimpleQueue[Any], watch: Watch, ends: float) -> Any:
    """What came; `None` where time is up, the watch itself where it was stopped."""
    while (left_s := ends - perf_counter()) > 0:
        if watch.cancelled():
            return watch
        with suppress(Empty):
            return items.get(timeout=min(_POLL_S, left_s))
    return None


def _fail(why: Failure, who: Who, partial: Completion | None) -> NoReturn:
    message = _no_vectors(who) if why.kind == "malformed" else why.message
    raise CallFailed(why.kind, message, partial, retry_after_s=why.retry_after_s)


def _no_vectors(who: Who) -> str:
    return f"{who.provider} did not answer with embeddings. Check the address and the name of the model."


def _whole(request: Request, started: float, answer: Any, who: Who, counts: bool) -> Completion:
    usage = _usage(request, answer, counts)
    vectors = _vectors(answer, len(request.prompt.messages))
    if vectors is None:
        partial = _completion(request, started, usage, (), "cut")
        raise CallFailed("malformed", _no_vectors(who), partial)
    return _completion(request, started, usage, vectors, "stop")


def _vectors(answer: Any, texts: int) -> Vectors | None:
    """A vector for each text, all of one length and of numbers; `None` for anything else that a server may say."""
    try:
        rows = [row["embedding"] for row in sorted(answer.data, key=lambda row: row["index"])]
        found = tuple(tuple(map(float, row)) for row in rows)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    one_length = len(found) == texts and len({len(row) for row in found}) == 1 and bool(found[0])
    return found if one_length and all(isfinite(x) for row in found for x in row) else None


def _usage(request: Request, answer: Any, counts: bool) -> Usage:
    given = getattr(getattr(answer, "usage", None), "prompt_tokens", None)
    if counts and isinstance(given, int) and given > 0:
        return Usage(given, 0, counted="provider")
    return Usage(request.prompt.input_tokens, 0)


def _completion(request: Request, started: float, usage: Usage, vectors: Vectors, finish_reason: str) -> Completion:
    return Completion("", usage, "live", perf_counter() - started, finish_reason=finish_reason, vectors=vectors)
