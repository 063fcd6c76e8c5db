"""A fake OpenAI-compatible server on loopback, for tests: GET /v1/models and POST /v1/chat/completions or embeddings.

    with FakeServer(answer=lambda body: '{"label": "other"}') as server:
        ...  # base_url=server.base_url, any model name

What a model does is a `Reply`: one of `STANDARD` by the model's name, or whatever `script(body)` returns.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

Mode = Literal["ok", "hang", "trickle", "cut", "garbage", "no_choices", "drop"]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """How the server answers one chat request."""

    text: str | None = None
    """`None` asks the server's `answer`."""
    mode: Mode = "ok"
    status: int = 200
    message: str = "no"
    code: str | None = None
    echo_key: bool = False
    """An error message repeats the key it was sent, as some gateways do."""
    retry_after: str | None = None
    delay_s: float = 0.0
    """Before the first byte."""
    gap_s: float = 0.0
    """Between two pieces of streamed text."""
    piece: int = 12
    usage: Mapping[str, Any] | None = field(default_factory=dict)
    """`None` leaves usage out; a mapping is laid over the counted one."""
    finish_reason: str = "stop"
    refuses_response_format: bool = False
    wants_key: str | None = None
    """Any other key gets a 401."""
    raw: bytes | None = None
    """Sent as the event stream as it is: what a provider with another format says."""


STANDARD: Mapping[str, Reply] = {
    "slow": Reply(delay_s=0.2),
    "bad-key": Reply(status=401, message="Incorrect API key provided", echo_key=True, code="invalid_api_key"),
    "forbidden": Reply(status=403, message="Your organization may not use this model"),
    "rate-limited": Reply(status=429, message="Too many requests", retry_after="7"),
    "broken": Reply(status=500, message="The engine fell over"),
    "overloaded": Reply(status=503, message="Overloaded"),
    "unknown": Reply(status=404, message="The model `unknown` does not exist", code="model_not_found"),
    "too-long": Reply(
        status=400, message="This model's maximum context length is 8192 tokens", code="context_length_exceeded"
    ),
    "hang": Reply(mode="hang"),
    "trickle": Reply(mode="trickle", gap_s=0.1),
    "cut": Reply(mode="cut"),
    "drop": Reply(mode="drop"),
    "garbage": Reply(mode="garbage"),
    "no-choices": Reply(mode="no_choices"),
    "no-usage": Reply(usage=None),
    "length": Reply(finish_reason="length"),
    "reasoning": Reply(
        usage={
            "prompt_tokens": 100,
            "completion_tokens": 60,
            "total_tokens": 160,
            "prompt_tokens_details": {"cached_tokens": 64},
            "completion_tokens_details": {"reasoning_tokens": 40},
        }
    ),
    "plain-text": Reply(refuses_response_format=True),
}


class FakeServer:
    """Serves until the `with` block ends.

    `seen` holds every chat body, without keys, in order of arrival; `accepted` counts connections; `hung_up` is set
    when a client leaves in the middle of a stream. `delay_s` passes before the first byte of an answer that names none.
    """

    def __init__(
        self,
        answer: Callable[[Body], str] = lambda body: "Hello from the fake server.",
        script: Callable[[Body], Reply] | Mapping[str, Reply] = STANDARD,
        models: tuple[str, ...] = ("fake",),
        delay_s: float = 0.0,
        port: int = 0,
    ) -> None:
        self.answer, self.models, self.delay_s = answer, models, delay_s
        self._script = script
        self.seen: list[Body] = []
        self.accepted = 0
        self.hung_up = threading.Event()
        self.stopping = threading.Event()
        self.sockets: set[socket.socket] = set()
        self._http = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._http.server_address[1]

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def reply(self, body: Body) -> Reply:
        """What to do with a request."""
        if callable(self._script):
            return self._script(body)
        return self._script.get(str(body.get("model")), Reply())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stopping.set()
        self._http.shutdown()
        for open_socket in tuple(self.sockets):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        self._http.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # joined on close, so no handler outlives its test
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], fake: FakeServer) -> None:
        self.fake = fake
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.fake.sockets.add(request)
        self.fake.accepted += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.fake.sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.fake.hung_up.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Keep test output clean."""

    def do_GET(self) -> None:
        if self.path.rstrip("/") != "/v1/models":
            return self._error(Reply(status=404, message="no such page"))
        listed = [{"id": name, "object": "model"} for name in self.server.fake.models]
        return self._json(200, {"object": "list", "data": listed})

    def do_POST(self) -> None:
        fake = self.server.fake
        body: Body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body.setdefault("model", self.path.rpartition("/")[2].partition(":")[0])  # Gemini names it in the address
        fake.seen.append(body)
        reply = fake.reply(body)
        fake.stopping.wait(reply.delay_s or fake.delay_s)
        if reply.refuses_response_format and "response_format" in body:
            reply = Reply(status=400, message="response_format is not supported")
        if reply.wants_key not in (None, self._key()):
            reply = STANDARD["bad-key"]
        if reply.status != 200:
            self._error(reply)
        elif reply.mode in ("hang", "drop"):
            self._hang(reply)
        elif reply.mode in ("garbage", "no_choices"):
            self._malformed(reply)
        elif self.path.endswith("/embeddings"):
            self._json(200, _embeddings(body))
        elif body.get("stream") or reply.raw is not None:
            self._stream(body, reply)
        else:
            self._json(200, _whole(body, reply, self._text(body, reply)))

    def _text(self, body: Body, reply: Reply) -> str:
        return self.server.fake.answer(body) if reply.text is None else reply.text

    def _key(self) -> str:
        sent = (self.headers.get(name) for name in ("Authorization", "x-api-key", "x-goog-api-key"))
        return next(filter(None, sent), "").removeprefix("Bearer ")

    def _hang(self, reply: Reply) -> None:
        if reply.mode == "hang":
            self.server.fake.stopping.wait()
        self.close_connection = True

    def _malformed(self, reply: Reply) -> None:
        payload = b"<html>It works!" if reply.mode == "garbage" else b'{"object": "nothing"}'
        self._send(200, payload, "application/json")

    def _error(self, reply: Reply) -> None:
        message = f"{reply.message}: {self._key()}" if reply.echo_key else reply.message
        error = {"message": message, "type": "invalid_request_error" if reply.code else "error", "code": reply.code}
        self._json(reply.status, {"error": error}, reply.retry_after)

    def _json(self, status: int, value: Any, retry_after: str | None = None) -> None:
        self._send(status, json.dumps(value).encode(), "application/json", retry_after)

    def _send(self, status: int, payload: bytes, kind: str, retry_after: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(payload)

    def _stream(self, body: Body, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for index, data in enumerate(self._stream_of(body, reply)):
            if (reply.mode == "cut" and index == 3) or self.server.fake.stopping.wait(reply.gap_s if index else 0):
                self.close_connection = True
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def _stream_of(self, body: Body, reply: Reply) -> Iterator[bytes]:
        if reply.raw is not None:
            yield from (event + b"\n\n" for event in reply.raw.split(b"\n\n") if event)
            return
        for event in _events(body, reply, self._text(body, reply)):
            yield f"data: {json.dumps(event)}\n\n".encode()
        yield b"data: [DONE]\n\n"


def _events(body: Body, reply: Reply, text: str) -> Iterator[Body]:
    yield _event(body, {"role": "assistant", "content": ""})
    pieces = [text[i : i + reply.piece] for i in range(0, len(text), reply.piece)]
    while reply.mode == "trickle":
        yield _event(body, {"content": "."})
    for piece in pieces:
        yield _event(body, {"content": piece})
    yield _event(body, {}, reply.finish_reason)
    if reply.usage is not None:
        yield {**_event(body, {}), "choices": [], "usage": _usage(body, reply, text)}


def _event(body: Body, delta: Body, finish_reason: str | None = None) -> Body:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {**_head(body), "object": "chat.completion.chunk", "choices": [choice]}


def _head(body: Body) -> Body:
    return {"id": "fake-1", "created": 1, "model": body.get("model")}


def _whole(body: Body, reply: Reply, text: str) -> Body:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reply.finish_reason}
    whole = {**_head(body), "object": "chat.completion", "choices": [choice]}
    return whole if reply.usage is None else {**whole, "usage": _usage(body, reply, text)}


def _embeddings(body: Body) -> Body:
    """How often each letter of the alphabet stands in a text, and a one so that no text has nothing."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    counts = [[1.0, *(float(text.lower().count(chr(97 + i))) for i in range(26))] for text in texts]
    rows = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(counts)]
    return {**_head(body), "object": "list", "data": rows, "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def _usage(body: Body, reply: Reply, text: str) -> Body:
    """Words, near enough: a test that cares says what it wants."""
    given = len(" ".join(str(m.get("content")) for m in body.get("messages", ())).split())
    written = len(text.split())
    counted = {"prompt_tokens": given, "completion_tokens": written, "total_tokens": given + written}
    return {**counted, **(reply.usage or {})}
