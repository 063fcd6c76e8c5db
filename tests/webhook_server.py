"""A webhook on this machine that answers as it is told, and keeps what it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "T0000/B0000/s3cr3tPathOfTheWebhook"
HANG = 0


class FakeWebhook:
    """`answers` are a status and a body for each request, the last one for all that follow; `HANG` never answers."""

    def __init__(self, answers: Sequence[tuple[int, str]]) -> None:
        self.answers = list(answers)
        self.got: list[dict[str, Any]] = []
        self.address = ""
        self.ended = threading.Event()

    def next(self, body: bytes) -> tuple[int, str]:
        self.got.append(json.loads(body))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def webhook(*answers: tuple[int, str]) -> Iterator[FakeWebhook]:
    fake = FakeWebhook(answers or [(200, "ok")])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, said = fake.next(self.rfile.read(int(self.headers["Content-Length"])))
            if status == HANG:
                fake.ended.wait(20)
                return
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", said)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    fake.address = f"http://127.0.0.1:{server.server_address[1]}/services/{SECRET}"
    try:
        yield fake
    finally:
        fake.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
