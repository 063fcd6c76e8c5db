"""Servers on this machine and endpoints of the user's own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal

import pytest

from playground.errors import BadInput
from playground.local import (
    LocalServer,
    clean_base_url,
    endpoint_models,
    find_servers,
    local_models,
)
from tests.fake_server import FakeServer

FREE = (Decimal(0), Decimal(0))


@contextmanager
def listener(says: bytes, again: bool = False) -> Iterator[int]:
    """Accept one connection, say something and hold it; with `again` say it every 50 ms. Yields the port."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                while not done.wait(0.05):
                    if says:
                        peer.sendall(says)
                    if not again:
                        done.wait()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        done.set()
        thread.join(1)


def test_finds_what_answers_and_lists_its_models() -> None:
    with FakeServer(models=("llama3.2", "qwen3", "llama3.2")) as one, FakeServer(models=("phi-4",)) as two:
        found = find_servers({one.port: "Ollama", two.port: "LM Studio"})
    assert found == (
        LocalServer("Ollama", f"http://127.0.0.1:{one.port}/v1", ("llama3.2", "qwen3")),
        LocalServer("LM Studio", f"http://127.0.0.1:{two.port}/v1", ("phi-4",)),
    )


def test_nothing_listening_is_no_error() -> None:
    with FakeServer() as gone:
        port = gone.port
    assert find_servers({port: "Ollama"}) == ()
    assert find_servers({}) == ()


def test_silence_garbage_and_a_trickle_are_left_out_side_by_side() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    with ExitStack() as stack:
        ports = [
            stack.enter_context(listener(b"")),
            stack.enter_context(listener(b"SSH-2.0-OpenSSH\r\n")),
            stack.enter_context(listener(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[1]\n")),
            stack.enter_context(listener(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot json\n")),
            stack.enter_context(listener(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}")),
            stack.enter_context(listener(head + b" " * 2_000_000)),
            stack.enter_context(listener(head, again=True)),
        ]
        started = time.monotonic()
        assert find_servers(dict.fromkeys(ports, "vLLM"), timeout_s=0.3) == ()
        assert time.monotonic() - started < 1.2


def test_a_found_server_becomes_models_at_the_users_price() -> None:
    server = LocalServer("Ollama", "http://127.0.0.1:11434/v1", ("llama3.2",))
    (model,) = local_models(server, Decimal("0.05"), Decimal("0.1"))
    assert (model.id, model.name, model.provider, model.endpoint) == (
        "openai/llama3.2", "llama3.2 (Ollama)", "Ollama", server.base_url,
    )  # fmt: skip
    assert model.price is not None
    assert model.price.rates.input_usd_per_mtok == Decimal("0.05")
    assert model.price.source == "your hardware: set at $0.0500 in, $0.1000 out per million tokens"
    assert (server.connection.provider, server.connection.base_url) == ("Ollama", model.endpoint)


def test_a_price_of_zero_is_a_price() -> None:
    (model,) = local_models(LocalServer("vLLM", "http://127.0.0.1:8000/v1", ("m",)), *FREE)
    assert model.price is not None
    assert model.price.rates.output_usd_per_mtok == 0
    assert "$0.00" in model.price.source


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity"])
def test_a_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(BadInput, match="price"):
        endpoint_models("http://a/v1", ["m"], Decimal(price), Decimal(1))


def test_an_endpoint_without_a_price_is_unpriced() -> None:
    (model,) = endpoint_models("http://a/v1", ["m"], None, None)
    assert model.price is None
    (half,) = endpoint_models("http://a/v1", ["m"], Decimal(1), None)
    assert half.price is not None
    assert half.price.rates.output_usd_per_mtok is None


def test_an_endpoint_keeps_names_and_says_who_serves_them() -> None:
    models = endpoint_models(" https://gw.example.com/v1/chat/completions ", ["a", " b ", "", "a"], *FREE)
    assert [m.name for m in models] == ["a (gw.example.com)", "b (gw.example.com)"]
    assert models[0].endpoint == "https://gw.example.com/v1"
    with pytest.raises(BadInput, match="at least one model"):
        endpoint_models("http://a/v1", [" "], *FREE)


@pytest.mark.parametrize(
    "address",
    ["", "localhost:8000", "ftp://a/v1", "http://", "http:///v1", "javascript:alert(1)", "http://a b/v1", "http://a:x/v1",
     "http://a:99999/v1", "http://[::1/v1", "http://ä/v1", "http://a/\nv1"],
)  # fmt: skip
def test_a_bad_address_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match="http://"):
        clean_base_url(address)


@pytest.mark.parametrize("address", ["http://me:sk-secret@a/v1", "http://a/v1?key=sk-secret", "http://a/v1#sk-secret"])
def test_an_address_with_a_key_in_it_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(BadInput) as refused:
        clean_base_url(address)
    assert "sk-secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000/v1", "https://gw.example.com", "http://[::1]:8080/v1"])
def test_a_good_address_stays(address: str) -> None:
    assert clean_base_url(address) == address
