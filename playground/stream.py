"""One streamed answer, read until it ends, fails, is cancelled or has had its time.

A stream is read in a thread of its own, because a blocked read can neither be cancelled nor held to a total deadline:
litellm's timeout is per read, and its Gemini path ignores it. A call that is given up closes its connection as soon as
the read under way returns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, NoReturn

from playground import tokens
from playground.errors import CallFailed, Cancelled
from playground.records import Completion, Request, Usage
from playground.redact import REMOVED, SHORTEST_SECRET, Failure, Who, failure, not_a_completion
from playground.watch import Watch

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class _End:
    """A stream's end, with the provider's usage if it sent any."""

    usage: Usage | None


@dataclass(slots=True)
class Call:
    """One call under way: what has arrived, and when."""

    request: Request
    watch: Watch
    who: Who
    started: float = field(default_factory=perf_counter)
    text: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    first_token_s: float | None = None
    finish_reason: str = "stop"
    begun: bool = False
    """Whether the provider had begun to answer: it has read the prompt then, and bills it."""

    def run(self, open_stream: Callable[[], Any]) -> Completion:
        """Listen until the stream ends, fails, is cancelled or has had its time."""
        items, dropped = SimpleQueue[Any](), threading.Event()
        reading = (open_stream, self.who, items, dropped)
        threading.Thread(target=_read, args=reading, name="gateway", daemon=True).start()
        try:
            for item in self._arriving(items):
                if isinstance(item, _End):
                    return self._whole(item.usage)
                if isinstance(item, Failure):
                    self._fail(item)
                self._hear(item)
        finally:
            dropped.set()
        raise AssertionError("unreachable: a stream ends or fails")

    def _arriving(self, items: SimpleQueue[Any]) -> Iterator[Any]:
        ends = self.started + self.request.timeout_s
        while True:
            if self.watch.cancelled():
                raise Cancelled(partial=self._partial("cancelled"))
            left_s = ends - perf_counter()
            if left_s <= 0:
                self._time_out()
            with suppress(Empty):
                yield items.get(timeout=min(_POLL_S, left_s))

    def _hear(self, chunk: Any) -> None:
        self.begun = True
        for choice in chunk.choices[:1]:
            self.finish_reason = choice.finish_reason or self.finish_reason
            self.thought.append(_thought(choice.delta))
            if choice.delta and choice.delta.content:
                self.first_token_s = self.first_token_s or perf_counter() - self.started
                self.text.append(choice.delta.content)
                self.watch.text(self.request, self._shown(choice.delta.content))

    def _whole(self, usage: Usage | None) -> Completion:
        if not usage and not self._heard:
            raise CallFailed("malformed", not_a_completion(self.who), self._partial("cut") if self.begun else None)
        return self._completion(usage or self._counted(), self.finish_reason)

    def _fail(self, why: Failure) -> NoReturn:
        if why.kind == "timeout":
            self._time_out()
        if self._heard or (self.begun and why.kind == "connection"):
            message = f"{self.who.provider} broke off in the middle of its answer. Try again; what arrived is counted."
            raise CallFailed("cut_stream", message, self._partial("cut"))
        partial = self._partial("cut") if self.begun or why.sent else None
        raise CallFailed(why.kind, why.message, partial, retry_after_s=why.retry_after_s)

    def _time_out(self) -> NoReturn:
        limit = f"{self.request.timeout_s:g} seconds"
        message = f"{self.who.provider} did not finish within {limit}. Try again, or choose another model."
        raise CallFailed("timeout", message, self._partial("timeout"))

    @property
    def _heard(self) -> bool:
        return any(self.text) or any(self.thought)

    def _shown(self, text: str) -> str:
        """What a model wrote, without a key that it may have been told and repeats."""
        for secret in self.who.secrets:
            if len(secret) >= SHORTEST_SECRET:  # a placeholder such as "local" is a word that an answer may hold
                text = text.replace(secret, REMOVED)
        return text

    def _partial(self, finish_reason: str) -> Completion:
        return self._completion(self._counted(), finish_reason)

    def _counted(self) -> Usage:
        thought = tokens.count("".join(self.thought))
        written = tokens.count("".join(self.text))
        return Usage(self.request.prompt.input_tokens, written + thought, reasoning_tokens=thought)

    def _completion(self, usage: Usage, finish_reason: str) -> Completion:
        latency_s = perf_counter() - self.started
        return Completion(self._shown("".join(self.text)), usage, "live", latency_s, self.first_token_s, finish_reason)


def _read(open_stream: Callable[[], Any], who: Who, items: SimpleQueue[Any], dropped: threading.Event) -> None:
    """Pass a stream on until nobody listens. Errors become sentences here: no exception that holds a key leaves."""
    stream, usage = None, None
    try:
        stream = open_stream()
        chunks, received = _received(stream)
        for chunk in chunks:
            if dropped.is_set():
                return
            items.put(chunk)
            if any(choice.finish_reason for choice in chunk.choices):
                usage = _reported((*received, *_rest(stream)))
                if usage:
                    break
        items.put(_End(usage or _reported(received)))
    except Exception as error:
        items.put(failure(error, who))
    finally:
        _close(stream)


def _received(stream: Any) -> tuple[Iterable[Any], Sequence[Any]]:
    """The chunks to go through, and a list of them as they were received, which grows meanwhile.

    What comes from OpenAI's own client is in OpenAI's format, and is not read through litellm: that takes 0.3 ms for each chunk.
    """
    plain = stream.completion_stream
    if type(plain).__module__.partition(".")[0] != "openai":
        return stream, stream.chunks
    received: list[Any] = []
    return _kept(plain, received), received


def _kept(chunks: Iterable[Any], received: list[Any]) -> Iterator[Any]:
    for chunk in chunks:
        received.append(chunk)
        yield chunk


def _thought(delta: Any) -> str:
    """A piece of a model's thinking, under either of the names that servers give it; litellm uses the first."""
    found = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
    return found if isinstance(found, str) else ""


def _rest(stream: Any) -> list[Any]:
    """Read what a provider sends after its answer, which is its usage.

    Read through litellm it takes longer than the rest of our overhead: it first counts and prices the answer.
    """
    rest: list[Any] = []
    with suppress(Exception):  # the answer is whole; without its usage it is counted
        for chunk in stream.completion_stream:
            rest.append(chunk)
    return rest


def _close(stream: Any) -> None:
    """Close a stream's connection, so that the provider stops writing: litellm closes only asynchronous ones."""
    received = getattr(stream, "completion_stream", None)
    for part in (getattr(received, "streaming_response", None), received):
        with suppress(Exception):  # the answer is in, or nobody waits for it
            part.close()  # type: ignore[union-attr]


def _reported(chunks: Iterable[Any]) -> Usage | None:
    """Take over the usage in chunks as they were received, where there is any; counts only rise along a stream.

    litellm has already counted cached tokens as input and reasoning as output where a provider does not.
    """
    usages = [usage for chunk in chunks if (usage := getattr(chunk, "usage", None)) and (usage.prompt_tokens or 0) > 0]
    if not usages:
        return None

    def most(part: str, *names: str) -> int:
        parts = [getattr(usage, part, None) if part else usage for usage in usages]
        return max(0, *(getattr(p, name, None) or 0 for p in parts for name in names))

    given, written = most("", "prompt_tokens"), most("", "completion_tokens")
    read = min(given, most("prompt_tokens_details", "cached_tokens") or most("", "prompt_cache_hit_tokens"))
    write = most("prompt_tokens_details", "cache_creation_tokens", "cache_write_tokens")
    reasoning = most("completion_tokens_details", "reasoning_tokens")
    return Usage(given, written, read, min(write, given - read), min(reasoning, written), "provider")
