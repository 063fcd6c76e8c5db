"""Live calls, through litellm: the only place that imports it, behind one lazy door.

litellm is asked for one streamed answer and nothing else: retries, failover, caching, budgets and prices are ours. A
stream is read in a thread of its own, because a blocked read can neither be cancelled nor held to a total deadline
(litellm's timeout is per read, and its Gemini path ignores it).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

from playground import tokens
from playground.errors import BadInput, CallFailed, Cancelled
from playground.records import Completion, Effort, Model, Request, Usage
from playground.redact import Failure, Who, failure, not_a_completion, redact
from playground.watch import Unwatched, Watch

KEY_NAMES: Mapping[str, tuple[str, ...]] = {
    "Anthropic": ("ANTHROPIC_API_KEY",),
    "OpenAI": ("OPENAI_API_KEY",),
    "Google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "Mistral": ("MISTRAL_API_KEY",),
    "DeepSeek": ("DEEPSEEK_API_KEY",),
    "xAI": ("XAI_API_KEY",),
    "Alibaba": ("DASHSCOPE_API_KEY",),
    "Meta (DeepInfra)": ("DEEPINFRA_API_KEY",),
}
"""Provider to the variables its key is read from, first found first. Amazon is missing: Bedrock signs calls with AWS
credentials through boto3, which is no dependency of ours."""

NO_KEY = "no-key-needed"
"""Sent to a server that wants no key: with none at all litellm would send it OPENAI_API_KEY."""

_POLL_S = 0.05
_SETTINGS = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_OFFLINE_MODE": "True",
    "LITELLM_MODE": "PRODUCTION",
    "HF_HUB_OFFLINE": "1",
}
_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "httpx", "httpcore")
_EFFORTS_FALLING: tuple[Effort, ...] = ("max", "xhigh", "high")
_JSON_WITHOUT_SCHEMA = ("deepseek/",)  # litellm's map says otherwise; DeepSeek's API takes json_object only


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a provider is and the key it is called with; `base_url=None` is the provider's own address."""

    provider: str
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None


def keys_from(environ: Mapping[str, str], secrets: Mapping[str, Any]) -> dict[str, Connection]:
    """Read a connection for every provider with a key; a secret goes before a variable. Raises `BadInput`."""
    found: dict[str, Connection] = {}
    for provider, names in KEY_NAMES.items():
        values = (clean_key(source.get(name), name) for source in (secrets, environ) for name in names)
        key = next(filter(None, values), None)
        if key:
            found[provider] = Connection(provider, key)
    return found


def clean_key(value: object, name: str) -> str | None:
    """Strip what copying adds to a key; `None` if nothing is left. Raises `BadInput`, without the key in it."""
    key = value.strip().strip("\"'").strip() if isinstance(value, str) else ""
    if not all("!" <= character <= "~" for character in key):
        raise BadInput(f"{name} holds a character that no key has, such as a space or a dash from a document. Copy it again.")
    return key or None


@dataclass(frozen=True, slots=True)
class Gateway:
    """Calls models on the keys it was given, by provider name or, for a model with an endpoint, by that endpoint."""

    connections: Mapping[str, Connection]

    def complete(self, request: Request, watch: Watch | None = None) -> Completion:
        """Make one call; safe to run side by side. Raises `CallFailed` or `Cancelled`, with what had arrived."""
        connection = self._connection(request.candidate.model)
        litellm = _litellm()  # before the clock starts: the first import takes seconds
        who = self._who(request, connection)
        arguments = _arguments(litellm, request, connection, who)
        return _Call(request, watch or Unwatched(), who).run(_Reader(litellm.completion, arguments, who))

    def _connection(self, model: Model) -> Connection:
        connection = self.connections.get(model.endpoint or model.provider)
        if connection is None and model.provider == "Amazon":
            raise CallFailed("auth", "Amazon needs AWS credentials, which live calls cannot use. Choose another provider.")
        if connection is None or not (connection.api_key or connection.base_url):
            raise CallFailed("auth", f"No key for {model.provider}. Add one in Settings, or use rehearsal.")
        return connection

    def _who(self, request: Request, connection: Connection) -> Who:
        model = request.candidate.model
        address = urlsplit(connection.base_url).netloc.rpartition("@")[2] if connection.base_url else None
        secrets = tuple(c.api_key for c in (*self.connections.values(), connection) if c.api_key)
        return Who(connection.provider, model.name, model.id, request.prompt.input_tokens, address, secrets)


def warm() -> None:
    """Load litellm, which takes 2 to 3 s, so that the first call need not wait for it; may run in a thread."""
    _litellm()


@cache
def _litellm() -> Any:
    """The door. The settings keep litellm off the network and out of `.env` files, and must stand before the import."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    import litellm

    litellm.suppress_debug_info = True
    litellm.disable_streaming_logging = True
    litellm.telemetry = False
    litellm.drop_params = True
    litellm.callbacks = []
    litellm.request_timeout = 300.0  # all that bounds an abandoned Gemini read
    for name in _LOGGERS:  # their records carry request headers and addresses
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return litellm


def _arguments(litellm: Any, request: Request, connection: Connection, who: Who) -> dict[str, Any]:
    model = request.candidate.model
    return {
        "model": model.id,
        "messages": [{"role": m.role, "content": m.content} for m in request.prompt.messages],
        "max_tokens": request.max_output_tokens,
        "api_key": connection.api_key or NO_KEY,
        "api_base": connection.base_url,
        "stream": True,
        "stream_options": {"include_usage": True},
        "timeout": request.timeout_s,
        "max_retries": 0,
        "num_retries": 0,
        **_effort(litellm, model, request.candidate.effort, who),
        **_response_format(litellm, request),
    }


def _effort(litellm: Any, model: Model, effort: Effort, who: Who) -> dict[str, str]:
    """Say how hard to think. What litellm would drop in silence is an error: the answer would not be this candidate's."""
    if effort == "default":
        return {}
    takes = "reasoning_effort" in (litellm.get_supported_openai_params(model.id) or ())
    if not takes and effort == "none":
        return {}
    entry = {} if model.endpoint else litellm.model_cost.get(model.id) or {}
    wanted = _EFFORTS_FALLING if effort == "max" else (effort,)
    accepted = next((level for level in wanted if _accepts(entry, level)), None)
    if not takes or accepted is None:
        raise CallFailed("bad_request", f"{who.model} cannot be asked for effort {effort}. Choose another effort for it.")
    return {"reasoning_effort": accepted}


def _accepts(entry: Mapping[str, Any], effort: Effort) -> bool:
    """Whether a map entry takes an effort: the two highest must be stated, the others are only ever ruled out."""
    if "reasoning_effort_levels" in entry:
        return effort in entry["reasoning_effort_levels"]
    stated = entry.get(f"supports_{effort}_reasoning_effort")
    return stated is True if effort in ("max", "xhigh") else stated is not False


def _response_format(litellm: Any, request: Request) -> dict[str, Any]:
    """Ask for JSON where the map says a model takes it; elsewhere the prompt alone asks."""
    model, output = request.candidate.model, request.output
    if output.kind != "json" or model.endpoint or not litellm.supports_response_schema(model.id):
        return {}
    if output.schema is None or model.id.startswith(_JSON_WITHOUT_SCHEMA):
        return {"response_format": {"type": "json_object"}}
    schema = {"name": request.prompt.stage, "schema": dict(output.schema)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a stream; `reported` is the provider's usage, `None` where litellm would only have counted."""

    reported: Any = None


class _Reader:
    """Reads one stream in a daemon thread. Errors become sentences there, so that no exception holding a key leaves it."""

    def __init__(self, completion: Any, arguments: dict[str, Any], who: Who) -> None:
        self._items: SimpleQueue[Any] = SimpleQueue()
        self._dropped = threading.Event()
        threading.Thread(target=self._read, args=(completion, arguments, who), name="gateway", daemon=True).start()

    def drop(self) -> None:
        """Stop listening: the connection closes as soon as the read under way returns."""
        self._dropped.set()

    def next(self, wait_s: float) -> Any:
        """Return a chunk, an `_End` or a `Failure`, or `None` if nothing came within `wait_s` seconds."""
        try:
            return self._items.get(timeout=max(0.0, wait_s))
        except Empty:
            return None

    def _read(self, completion: Any, arguments: dict[str, Any], who: Who) -> None:
        stream = None
        try:
            stream = completion(**arguments)
            last = None
            for chunk in stream:
                if self._dropped.is_set():
                    return
                self._items.put(chunk)
                last = getattr(chunk, "usage", None) or last
            said = any(getattr(chunk, "usage", None) for chunk in stream.chunks)
            self._items.put(_End(last if said else None))
        except Exception as error:
            self._items.put(failure(error, who))
        finally:
            _close(stream)


def _close(stream: Any) -> None:
    """Close a stream's connection: litellm's wrapper has no way to, so its parts are closed."""
    for part in (getattr(stream, "completion_stream", None), getattr(stream, "response", None)):
        close = getattr(part, "close", None)
        if close is not None:
            close()


@dataclass(slots=True)
class _Call:
    """One call under way: what has arrived, and when."""

    request: Request
    watch: Watch
    who: Who
    started: float = field(default_factory=perf_counter)
    text: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    first_token_s: float | None = None
    finish_reason: str = "stop"

    def run(self, reader: _Reader) -> Completion:
        """Listen until the stream ends, fails, is cancelled or has had its time."""
        try:
            for item in self._items(reader):
                if isinstance(item, _End):
                    return self._whole(item)
                if isinstance(item, Failure):
                    self._fail(item)
                self._hear(item)
        finally:
            reader.drop()
        raise AssertionError("unreachable")

    def _items(self, reader: _Reader) -> Iterator[Any]:
        ends = self.started + self.request.timeout_s
        while True:
            if self.watch.cancelled():
                raise Cancelled(partial=self._partial("cancelled"))
            left = ends - perf_counter()
            if left <= 0:
                self._time_out()
            item = reader.next(min(_POLL_S, left))
            if item is not None:
                yield item
