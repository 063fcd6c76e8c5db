"""Live calls, through litellm: the only place that imports it, behind one lazy door.

litellm is asked for one streamed answer and nothing else: retries, failover, caching, budgets and prices are ours. A
stream is read in a thread of its own, because a blocked read can neither be cancelled nor held to a total deadline:
litellm's timeout is per read, and its Gemini path ignores it. A call that is given up closes its connection as soon as
the read under way returns.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, NoReturn
from urllib.parse import urlsplit

from playground import tokens
from playground.errors import BadInput, CallFailed, Cancelled
from playground.records import Completion, Effort, Model, Request, Usage
from playground.redact import Failure, Who, failure, not_a_completion
from playground.watch import Unwatched, Watch

KEY_NAMES: Mapping[str, tuple[str, ...]] = {
    "Anthropic": ("ANTHROPIC_API_KEY",),
    "OpenAI": ("OPENAI_API_KEY",),
    "Google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "Mistral": ("MISTRAL_API_KEY",),
    "DeepSeek": ("DEEPSEEK_API_KEY",),
    "xAI": ("XAI_API_KEY",),
    "Alibaba": ("DASHSCOPE_API_KEY",),
    "Meta": ("DEEPINFRA_API_KEY",),
}
"""Provider to the variables its key is read from; the first found wins. Meta's models are called at DeepInfra. Amazon
is missing: Bedrock signs calls with AWS credentials through boto3, which is no dependency of ours."""

_NO_KEY = "no-key-needed"  # given none at all, litellm would send a stranger's server the user's OPENAI_API_KEY
_POLL_S = 0.05
_ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_OFFLINE_MODE": "True",
    "LITELLM_MODE": "PRODUCTION",
    "HF_HUB_OFFLINE": "1",
}
_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "httpx", "httpcore")
_WITHOUT_PREFIX = {"OpenAI": "openai", "Anthropic": "anthropic"}
_JSON_WITHOUT_SCHEMA = ("deepseek",)  # litellm's map says otherwise; DeepSeek's API takes json_object only
_PASSED_ON = {"deepinfra": ["max_retries", "stream_options"]}  # else litellm retries there, and asks for no usage
_ON_OR_OFF: Mapping[str, tuple[Effort, ...]] = {"deepseek": ("none", "high")}  # litellm sends no more than that


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a provider is, and the key it is called with; `base_url=None` is the provider's own address."""

    provider: str
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None


def keys_from(environ: Mapping[str, str], secrets: Mapping[str, Any]) -> dict[str, Connection]:
    """Make a connection for every provider with a key; a secret goes before a variable. Raises `BadInput`."""
    found: dict[str, Connection] = {}
    for provider, names in KEY_NAMES.items():
        values = (clean_key(source.get(name), name) for source in (secrets, environ) for name in names)
        key = next(filter(None, values), None)
        if key:
            found[provider] = Connection(provider, key)
    return found


def clean_key(value: object, name: str) -> str | None:
    """Strip what copying adds to a key; `None` if nothing is left. Raises `BadInput`, which does not repeat the key."""
    key = value.strip().strip("\"'").strip() if isinstance(value, str) else ""
    if not all("!" <= character <= "~" for character in key):
        raise BadInput(f"{name} holds a character that no key has, such as a space or a curly quote. Copy it again.")
    return key or None


@dataclass(frozen=True, slots=True)
class Gateway:
    """Calls models on the connections it is given: by provider, or by endpoint for a model that names one."""

    connections: Mapping[str, Connection]

    def complete(self, request: Request, watch: Watch | None = None) -> Completion:
        """Make one call; safe to run side by side. Raises `CallFailed` or `Cancelled`, with what had arrived."""
        watch = watch or Unwatched()
        connection = self._connection(request.candidate.model)
        who = self._who(request, connection)
        litellm = _litellm()  # before the clock starts: the first import takes seconds
        arguments = _arguments(litellm, request)
        if watch.cancelled():
            raise Cancelled

        def open_stream() -> Any:  # the key stays out of the arguments: a traceback may show them
            return litellm.completion(api_key=connection.api_key or _NO_KEY, api_base=connection.base_url, **arguments)

        return _Call(request, watch, who).run(open_stream)

    def _connection(self, model: Model) -> Connection:
        connection = self.connections.get(model.endpoint or model.provider)
        if not model.endpoint and not _provider(model):
            why = f"{model.name} runs on Amazon Bedrock, which live calls hold no credentials for."
            raise CallFailed("auth", f"{why} Choose another model.")
        if connection is None or not (connection.api_key or connection.base_url):
            raise CallFailed("auth", f"No key for {model.provider}. Add one in Settings, or use rehearsal.")
        return connection

    def _who(self, request: Request, connection: Connection) -> Who:
        model = request.candidate.model
        address = urlsplit(connection.base_url).netloc.rpartition("@")[2] if connection.base_url else ""
        secrets = tuple(c.api_key for c in (*self.connections.values(), connection) if c.api_key)
        return Who(connection.provider, model.name, model.id, request.prompt.input_tokens, address, secrets)


def warm() -> None:
    """Load litellm, which takes 2 to 3 s, so that no call waits for it; may run in a thread of its own."""
    words = [{"role": "user", "content": "hello"}]
    for _ in _litellm().completion("openai/nothing", words, mock_response="hello", stream=True, api_key=_NO_KEY):
        pass


@cache
def _litellm() -> Any:
    """Open the door. The variables keep litellm off the network and out of `.env` files; its import reads them."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import litellm

    litellm.suppress_debug_info = True
    litellm.disable_streaming_logging = True
    litellm.telemetry = False
    litellm.drop_params = False  # it would drop an effort in silence, and turns a 422 into a crash
    litellm.callbacks = []
    litellm.request_timeout = 300.0  # all that ends an abandoned read from Gemini
    for name in _LOGGERS:  # their records carry headers, addresses and prompts
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return litellm


def _provider(model: Model) -> str:
    """Name the provider as litellm does; empty for Amazon Bedrock, whose ids carry no prefix."""
    return model.id.partition("/")[0] if "/" in model.id else _WITHOUT_PREFIX.get(model.provider, "")


def _name(model: Model) -> str:
    return model.id.removeprefix(f"{_provider(model)}/")


def _arguments(litellm: Any, request: Request) -> dict[str, Any]:
    model = request.candidate.model
    provider, effort = _provider(model), _effort(litellm, request)
    return {
        "model": f"{provider}/{_name(model)}",
        "messages": [{"role": m.role, "content": m.content} for m in request.prompt.messages],
        "max_tokens": _cap(litellm, request, effort),
        "stream": True,
        "stream_options": {"include_usage": True},
        "timeout": request.timeout_s,
        "max_retries": 0,
        "num_retries": 0,
        "allowed_openai_params": _PASSED_ON.get(provider, []),
        **({"reasoning_effort": effort} if effort else {}),
        **_response_format(litellm, request),
    }


def _effort(litellm: Any, request: Request) -> Effort | None:
    """Choose what to ask for; `max` is the most the model takes. Raises `CallFailed` where it cannot be asked.

    litellm drops an effort it does not know in silence; the answer would then be another candidate's.
    """
    model, effort = request.candidate.model, request.candidate.effort
    if effort == "default":
        return None
    levels: tuple[Effort, ...] = ("max", "xhigh", "high") if effort == "max" else (effort,)
    asked = next((level for level in levels if _takes(litellm, model, level)), None)
    if asked is None and effort != model.default_effort:
        raise CallFailed("bad_request", f"{model.name} cannot be asked for effort {effort}. Choose another for it.")
    return asked


def _takes(litellm: Any, model: Model, level: Effort) -> bool:
    provider = _provider(model)
    if level not in _ON_OR_OFF.get(provider, (level,)):
        return False
    if provider == "openai" and level == "max":  # litellm passes it on, and the chat API refuses it
        return False
    sent = _sent(litellm, model, level)
    return sent not in (None, _sent(litellm, model, None)) and sent.get("reasoning_effort", level) == level


@cache
def _sent(litellm: Any, model: Model, level: Effort | None) -> Any:
    """Ask litellm what it would send for an effort; `None` where it refuses."""
    asked = {"reasoning_effort": level} if level else {}
    try:
        return litellm.utils.get_optional_params(_name(model), custom_llm_provider=_provider(model), **asked)
    except litellm.BadRequestError:
        return None


def _cap(litellm: Any, request: Request, effort: Effort | None) -> int:
    """Cap the output. Older Claude and Gemini models get a thinking budget, and the answer must fit beside it."""
    sent = _sent(litellm, request.candidate.model, effort) or {}
    budget = sent.get("thinking", {}).get("budget_tokens") or sent.get("thinkingConfig", {}).get("thinkingBudget") or 0
    return max(request.max_output_tokens, budget + 2 * request.typical_output_tokens if budget else 0)


def _response_format(litellm: Any, request: Request) -> dict[str, Any]:
    """Ask for JSON where the map says a model takes it; elsewhere, and at endpoints, the prompt alone asks."""
    model, output, provider = request.candidate.model, request.output, _provider(request.candidate.model)
    mapped = not model.endpoint and litellm.supports_response_schema(_name(model), provider)
    if output.kind != "json" or not mapped:
        return {}
    if output.schema is None or provider in _JSON_WITHOUT_SCHEMA:
        return {"response_format": {"type": "json_object"}}
    schema = {"name": request.prompt.stage, "schema": dict(output.schema)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


@dataclass(frozen=True, slots=True)
class _End:
    """A stream's end, with the provider's usage if it sent any."""

    usage: Usage | None


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
        for choice in chunk.choices[:1]:
            self.finish_reason = choice.finish_reason or self.finish_reason
            self.thought.append(getattr(choice.delta, "reasoning_content", None) or "")
            if choice.delta.content:
                self.first_token_s = self.first_token_s or perf_counter() - self.started
                self.text.append(choice.delta.content)
                self.watch.text(self.request, choice.delta.content)

    def _whole(self, usage: Usage | None) -> Completion:
        if not usage and not self._heard:
            raise CallFailed("malformed", not_a_completion(self.who))
        return self._completion(usage or self._counted(), self.finish_reason)

    def _fail(self, why: Failure) -> NoReturn:
        if why.kind == "timeout":
            self._time_out()
        if self._heard:
            message = f"{self.who.provider} broke off in the middle of its answer. Try again; what arrived is counted."
            raise CallFailed("cut_stream", message, self._partial("cut"))
        raise CallFailed(why.kind, why.message)

    def _time_out(self) -> NoReturn:
        limit = f"{self.request.timeout_s:g} seconds"
        message = f"{self.who.provider} did not finish within {limit}. Try again, or choose another model."
        raise CallFailed("timeout", message, self._partial("timeout"))

    @property
    def _heard(self) -> bool:
        return any(self.text) or any(self.thought)

    def _partial(self, finish_reason: str) -> Completion:
        return self._completion(self._counted(), finish_reason)

    def _counted(self) -> Usage:
        thought = tokens.count("".join(self.thought))
        written = tokens.count("".join(self.text))
        return Usage(self.request.prompt.input_tokens, written + thought, reasoning_tokens=thought)

    def _completion(self, usage: Usage, finish_reason: str) -> Completion:
        latency_s = perf_counter() - self.started
        return Completion("".join(self.text), usage, "live", latency_s, self.first_token_s, finish_reason)


def _read(open_stream: Callable[[], Any], who: Who, items: SimpleQueue[Any], dropped: threading.Event) -> None:
    """Pass a stream on until nobody listens. Errors become sentences here: no exception that holds a key leaves."""
    stream, usage = None, None
    try:
        stream = open_stream()
        for chunk in stream:
            if dropped.is_set():
                return
            items.put(chunk)
            if any(choice.finish_reason for choice in chunk.choices):
                usage = _reported((*stream.chunks, *_rest(stream)))
                if usage:
                    break
        items.put(_End(usage or _reported(stream.chunks)))
    except Exception as error:
        items.put(failure(error, who))
    finally:
        _close(stream)


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
    usages = [usage for chunk in chunks if (usage := getattr(chunk, "usage", None)) and usage.prompt_tokens]
    if not usages:
        return None

    def most(part: str, *names: str) -> int:
        parts = [getattr(usage, part, None) if part else usage for usage in usages]
        return max(getattr(p, name, None) or 0 for p in parts for name in names)

    given, written = most("", "prompt_tokens"), most("", "completion_tokens")
    read = min(given, most("prompt_tokens_details", "cached_tokens") or most("", "prompt_cache_hit_tokens"))
    write = most("prompt_tokens_details", "cache_creation_tokens", "cache_write_tokens")
    reasoning = most("completion_tokens_details", "reasoning_tokens")
    return Usage(given, written, read, min(write, given - read), min(reasoning, written), "provider")
