"""Models on servers of the user's own: found on this machine, or at an OpenAI-compatible address she gives.

Their price is what she says it is. A price of zero is a real one here, and labelled as set by her.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from playground.errors import BadInput
from playground.gateway import Connection
from playground.money import usd
from playground.records import Model, Price, Rates

DEFAULT_PORTS: Mapping[int, str] = {11434: "Ollama", 1234: "LM Studio", 8000: "vLLM", 8080: "llama.cpp"}
"""Port to the server that usually listens there."""

LOCAL_KEY = "local"
"""Stands in for a key where none is wanted; no secret."""

_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answered, and the models it lists."""

    name: str
    base_url: str
    models: tuple[str, ...]

    @property
    def connection(self) -> Connection:
        """How the gateway reaches it; models name it by `base_url`."""
        return Connection(self.name, LOCAL_KEY, self.base_url)


def find_servers(
    ports: Mapping[int, str] = DEFAULT_PORTS, host: str = "127.0.0.1", timeout_s: float = 0.3
) -> tuple[LocalServer, ...]:
    """Ask each port, side by side, which models it serves; those that do not answer as OpenAI would are left out."""
    if not ports:
        return ()
    with ThreadPoolExecutor(max_workers=len(ports)) as pool:
        answers = pool.map(lambda port: _models_at(host, port, timeout_s), ports)
        found = list(zip(ports.items(), answers, strict=True))
    return tuple(LocalServer(name, f"http://{host}:{port}/v1", models) for (port, name), models in found if models)


def _models_at(host: str, port: int, timeout_s: float) -> tuple[str, ...]:
    """List a server's models; empty for whatever is not one."""
    connection = HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", "/v1/models", headers={"Accept": "application/json"})
        return _names(json.loads(_read(connection, monotonic() + timeout_s)))
    except (OSError, HTTPException, ValueError):
        return ()
    finally:
        connection.close()


def _read(connection: HTTPConnection, ends: float) -> bytes:
    """Read a body that is neither too long nor too slow. Raises `ValueError` or `TimeoutError`."""
    with connection.getresponse() as response:
        body = b""
        while part := response.read1(65536):
            body += part
            if len(body) > _MOST_BYTES:
                raise ValueError("too long for a list of models")
            if monotonic() > ends:
                raise TimeoutError
        return body


def _names(listed: Any) -> tuple[str, ...]:
    data = listed.get("data") if isinstance(listed, dict) else None
    entries = data if isinstance(data, list) else []
    names = (entry.get("id") for entry in entries if isinstance(entry, dict))
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def local_models(server: LocalServer, input_usd_per_mtok: Decimal, output_usd_per_mtok: Decimal) -> tuple[Model, ...]:
    """Make catalogue entries for what a found server serves. Raises `BadInput` for a price below zero."""
    price = _set_price(input_usd_per_mtok, output_usd_per_mtok, "your hardware")
    return tuple(_model(name, server.name, server.base_url, price) for name in server.models)


def endpoint_models(
    base_url: str,
    names: Iterable[str],
    input_usd_per_mtok: Decimal | None,
    output_usd_per_mtok: Decimal | None,
    provider: str | None = None,
) -> tuple[Model, ...]:
    """Make catalogue entries for models at the user's own address; `None` is unpriced. Raises `BadInput`."""
    address = clean_base_url(base_url)
    price = _set_price(input_usd_per_mtok, output_usd_per_mtok, "your endpoint")
    wanted = tuple(dict.fromkeys(filter(None, (name.strip() for name in names))))
    if not wanted:
        raise BadInput("Name at least one model that this address serves.")
    return tuple(_model(name, provider or urlsplit(address).netloc, address, price) for name in wanted)


def clean_base_url(text: str) -> str:
    """Strip blanks, an end slash and the chat path from an http or https address. Raises `BadInput` for any other."""
    address = text.strip().rstrip("/").removesuffix("/chat/completions").rstrip("/")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not address.isascii() or not address.isprintable() or " " in address:
        raise BadInput("The address must start with http:// or https:// and name a host: http://127.0.0.1:8000/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadInput("The address must not hold a key, a password or a query. Put the key in its own field.")
    return address


def _set_price(input_usd_per_mtok: Decimal | None, output_usd_per_mtok: Decimal | None, whose: str) -> Price | None:
    rates = (input_usd_per_mtok, output_usd_per_mtok)
    if not all(rate is None or (rate.is_finite() and rate >= 0) for rate in rates):
        raise BadInput("A price must be a number of dollars per million tokens, zero or more.")
    if rates == (None, None):
        return None
    source = f"{whose}: set at {usd(rates[0])} in, {usd(rates[1])} out per million tokens"
    return Price(Rates(*rates), datetime.now(UTC).date(), source)


def _model(name: str, server: str, base_url: str, price: Price | None) -> Model:
    return Model(
        id=f"openai/{name}",
        name=f"{name} ({server})",
        provider=server,
        price=price,
        context_tokens=None,
        max_output_tokens=None,
        endpoint=base_url,
    )
