"""Live calls, through litellm: the only place that imports it, behind one lazy door.

litellm is asked for one streamed answer, or for vectors, and nothing else: retries, failover, caching, budgets and prices are
ours. What becomes of the stream is in `stream`, of the vectors in `embedding_call`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from playground.embedding_call import embedded
from playground.errors import BadInput, CallFailed, Cancelled
from playground.prompt_caching import cache_options, marked
from playground.records import Completion, Effort, Model, Request
from playground.redact import Who
from playground.stream import Call
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
_SALT = os.urandom(32)
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
_COUNTS_EMBEDDINGS = ("openai", "mistral")  # elsewhere litellm may count itself, and calls it the provider's usage
_ON_OR_OFF: Mapping[str, tuple[Effort, ...]] = {"deepseek": ("none", "high")}  # litellm sends no more than that


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a provider is, and the key it is called with; `base_url=None` is the provider's own address."""

    provider: str
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None

    @property
    def address(self) -> str:
        """Host and port without a name or password; empty for the provider's own."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2] if self.base_url else ""


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
    prompt_cache: bool = True
    """Whether the end of a prompt's fixed part is marked for the provider's cache."""

    def complete(self, request: Request, watch: Watch | None = None) -> Completion:
        """Make one call; safe to run side by side. Raises `CallFailed` or `Cancelled`, with what had arrived.

        An output of kind "vector" brings `vectors` and no text, one for each message.
        """
        watch = watch or Unwatched()
        connection = self._connection(request.candidate.model)
        who = self._who(request, connection)
        litellm = _litellm()  # before the clock starts: the first import takes seconds
        wanted = request.output.kind == "vector"
        arguments = _embedding(request) if wanted else _arguments(litellm, request, self.prompt_cache)
        if watch.cancelled():
            raise Cancelled
        if wanted:

            def ask() -> Any:
                return litellm.embedding(
                    api_key=connection.api_key or _NO_KEY, api_base=connection.base_url, **arguments
                )

            return embedded(request, watch, who, ask, _provider(request.candidate.model) in _COUNTS_EMBEDDINGS)

        def open_stream() -> Any:  # the key stays out of the arguments: a traceback may show them
            return litellm.completion(api_key=connection.api_key or _NO_KEY, api_base=connection.base_url, **arguments)

        return Call(request, watch, who).run(open_stream)

    def key_id(self, model: Model) -> str:
        """A name for the key that a model is called with, good in this process only; nobody can get from it to the key."""
        connection = self.connections.get(model.endpoint or model.provider)
        key = connection.api_key if connection is not None else None
        return blake2b(key.encode(), key=_SALT, digest_size=8).hexdigest() if key else ""

    def reaches(self, model: Model) -> bool:
        """Whether there is a connection that this model can be called on."""
        connection = self.connections.get(model.endpoint or model.provider)
        return connection is not None and bool(connection.api_key or connection.base_url)

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
        secrets = tuple(c.api_key for c in (*self.connections.values(), connection) if c.api_key)
        size = request.prompt.input_tokens
        return Who(connection.provider, model.name, model.id, size, connection.address, secrets)


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
    litellm.DEFAULT_MAX_RETRIES = 0  # an embedding takes the 0 that it is given for nothing given
    litellm.request_timeout = 300.0  # all that ends an abandoned read from Gemini
    for name in _LOGGERS:  # their records carry headers, addresses and prompts
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return litellm


def _provider(model: Model) -> str:
    """Name the provider as litellm does; empty for Amazon Bedrock, whose ids carry no prefix."""
    return model.id.partition("/")[0] if "/" in model.id else _WITHOUT_PREFIX.get(model.provider, "")


def _name(model: Model) -> str:
    return model.id.removeprefix(f"{_provider(model)}/")


def _arguments(litellm: Any, request: Request, prompt_cache: bool = True) -> dict[str, Any]:
    model = request.candidate.model
    provider, effort = _provider(model), _effort(litellm, request)
    return {
        "model": f"{provider}/{_name(model)}",
        "messages": marked(request.candidate.model, request.prompt, prompt_cache),
        "max_tokens": _cap(litellm, request, effort),
        "stream": True,
        "stream_options": {"include_usage": True},
        "timeout": request.timeout_s,
        "max_retries": 0,
        "num_retries": 0,
        "allowed_openai_params": _PASSED_ON.get(provider, []),
        **({"reasoning_effort": effort} if effort else {}),
        **_response_format(litellm, request),
        **({"extra_body": options} if (options := cache_options(model)) else {}),
    }


def _embedding(request: Request) -> dict[str, Any]:
    model = request.candidate.model
    provider = _provider(model)
    return {
        "model": f"{provider}/{_name(model)}",
        "input": [m.content for m in request.prompt.messages],
        "timeout": request.timeout_s,
        "max_retries": 0,
        "num_retries": 0,
        # OpenAI's client asks for base64 unless told otherwise, which not every server has.
        **({"encoding_format": "float"} if provider == "openai" else {}),
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
