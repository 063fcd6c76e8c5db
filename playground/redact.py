"""What may be said about a failed call: its kind and one sentence, with no key in it.

Errors are told apart by the names of their classes, so nothing here imports litellm, openai or httpx.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil

from playground.records import FailureKind

REMOVED = "[key removed]"
SHORTEST_SECRET = 8
"""A given secret shorter than this is a placeholder such as `local`; removing it would only spoil sentences."""

_KEYS = re.compile(
    r"""(?<![A-Za-z0-9])(?:
      sk-[\w*.-]{8,}                      # OpenAI, Anthropic, DeepSeek, DashScope, OpenRouter
    | (?:gsk|hf|r8)_[\w*]{8,}             # Groq, Hugging Face, Replicate
    | AIza[\w*-]{10,}                     # Google
    | xai-[\w*]{16,}
    | (?:AKIA|ASIA|ABSK)[A-Za-z0-9+/=]{12,}
    | (?i:bearer)\s+[\w.~+/*=-]{6,}
    | (?i:basic)\s+(?=[A-Za-z+/]*[\d=])[A-Za-z0-9+/]{10,}=*
    )""",
    re.VERBOSE,
)
_TOO_LONG = re.compile(
    r"(?i)(prompt|input|request) is too long|context[_ ](length|window|size)|maximum number of tokens"
)
_REFUSED: Mapping[int, FailureKind] = {401: "auth", 402: "no_credit", 403: "no_access"}
_NOT_SENT = {"ConnectError", "ConnectTimeout", "ConnectionRefusedError"}
_NAMED_KEY = re.compile(r"(?i)((?:key|secret|token|password|authorization)[^\n]{0,24}?)(?<![\w+/=-])([\w+/-]{20,}=*)")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace every given secret, and whatever looks like an API key, with `[key removed]`."""
    for secret in sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(secret, REMOVED)
    return _NAMED_KEY.sub(_named, _KEYS.sub(REMOVED, text))


def _named(found: re.Match[str]) -> str:
    # A long word without a digit is prose or a path, not a key.
    return found[1] + REMOVED if re.search(r"\d", found[2]) else found[0]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call failed: `message` is one redacted sentence for the user."""

    kind: FailureKind
    message: str
    retry_after_s: float | None = None
    """What the provider asked to wait."""
    sent: bool = False
    """Whether the request was taken and no HTTP error answered it: the provider may have worked on it, and bill it."""


@dataclass(frozen=True, slots=True)
class Who:
    """What a sentence about a failed call may name."""

    provider: str
    model: str
    model_id: str
    input_tokens: int
    address: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)


def failure(error: BaseException, who: Who) -> Failure:
    """Name what went wrong in any exception a provider's client raised."""
    chain = tuple(_chain(error))
    names = {cls.__name__ for link in chain for cls in type(link).__mro__}
    below, answered = _transport(names, who), _status(chain, who)
    kind, sentence = below or answered or _spoken(names, chain, who)
    sent = not names & _NOT_SENT if below else answered is None and kind == "server"
    wait_s = _retry_after_s(chain)
    return Failure(kind, redact(sentence, who.secrets), wait_s, sent)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and its causes, outermost first; litellm hides a stream's cause in an attribute."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = getattr(error, "original_exception", None) or error.__cause__ or error.__context__


def _transport(names: set[str], who: Who) -> tuple[FailureKind, str] | None:
    """Failures below HTTP; litellm gives these a made-up status of 500, so they are looked for first."""
    if names & _NOT_SENT:
        where = f" at {who.address}" if who.address else ""
        return "connection", f"{who.provider} could not be reached{where}. Check the address and the network."
    if names & {"Timeout", "APITimeoutError", "TimeoutException"}:
        return "timeout", f"{who.provider} took too long to answer. Try again, or choose another model."
    if "TransportError" in names:
        return "connection", f"{who.provider} closed the connection without an answer. Try again."
    return None


def _code(chain: tuple[BaseException, ...]) -> int:
    """Find the HTTP status, or 0: where a stream said the error, litellm makes up a status of 500."""
    real = (link for link in chain if type(link).__name__.endswith("HTTPStatusError"))
    answered = [getattr(getattr(link, "response", None), "status_code", None) for link in real]
    claimed = [code for link in chain if (code := getattr(link, "status_code", None)) != 500]
    return next((code for code in (*answered, *claimed) if isinstance(code, int)), 0)


def _status(chain: tuple[BaseException, ...], who: Who) -> tuple[FailureKind, str] | None:
    code = _code(chain)
    if code in _REFUSED:
        return _REFUSED[code], _refused(code, who)
    if code == 429:
        return "rate_limit", _limited(chain, who)
    if 400 <= code < 500:
        return "bad_request", _bad_request(code, chain, who)
    if code >= 500:
        return "server", f"{who.provider} had an error of its own ({code}). Try again, or choose another model."
    return None


def _refused(code: int, who: Who) -> str:
    if code == 402:
        return f"{who.provider} says the account is out of credit. Add credit there, or choose another provider."
    if code == 403:
        return f"{who.provider} does not let this key use {who.model}. Check the key's rights, or choose another model."
    return f"{who.provider} refused the key. Check it in Settings."


def _limited(chain: tuple[BaseException, ...], who: Who) -> str:
    if "insufficient_quota" in str(chain[0]) or "exceeded your current quota" in str(chain[0]):
        return f"{who.provider} says the account is out of quota. Add credit there, or choose another provider."
    wait_s = _retry_after_s(chain)
    when = "Wait a moment and try again" if wait_s is None else f"Try again in {wait_s:g} seconds"
    return f"{who.provider} is limiting how often this key may call. {when}, or choose another provider."


def _retry_after_s(chain: tuple[BaseException, ...]) -> float | None:
    """Seconds to wait, from now where the provider wrote a date; `None` where it wrote neither."""
    for link in chain:
        for source in (getattr(link, "litellm_response_headers", None), getattr(link, "response", None)):
            value = str((getattr(source, "headers", source) or {}).get("retry-after", ""))
            if (wait_s := seconds_of(value, datetime.now(UTC))) is not None:
                return wait_s
    return None


def seconds_of(value: str, now: datetime) -> float | None:
    """A Retry-After header in seconds (RFC 9110, 10.2.3): a number, or a date in any of HTTP's forms; a past one is none left."""
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    # HTTP's dates are in GMT, also where they do not say so.
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, ceil((then - now).total_seconds()))


def _bad_request(code: int, chain: tuple[BaseException, ...], who: Who) -> str:
    names = {type(link).__name__ for link in chain}
    if "ContextWindowExceededError" in names or _TOO_LONG.search(str(chain[0])):
        size = f"{who.input_tokens:,} tokens"
        return f"The prompt is too long for {who.model} ({size}). Shorten it, or choose another model."
    if code == 404 or "model_not_found" in str(chain[0]):
        return f"{who.provider} does not know the model {who.model_id}. Check its name, or choose another model."
    if "ContentPolicyViolationError" in names:
        return f"{who.provider} declined this ticket under its content rules. Choose another model for it."
    return f"{who.provider} refused the request: {_detail(chain, who)}"


def _spoken(names: set[str], chain: tuple[BaseException, ...], who: Who) -> tuple[FailureKind, str]:
    """Errors without a status: what a provider wrote into its stream, or what could not be read."""
    if names & {"APIError", "BaseLLMException"} and not names & {"JSONDecodeError", "ValidationError"}:
        return "server", f"{who.provider} reported an error: {_detail(chain, who)}"
    return "malformed", not_a_completion(who)


def not_a_completion(who: Who) -> str:
    """Say that what came was no chat completion, such as a web page."""
    where = f" at {who.address}" if who.address else ""
    return f"{who.provider} answered{where}, but not with a chat completion. Check the address in Settings."


def _detail(chain: tuple[BaseException, ...], who: Who) -> str:
    """Take the provider's own words out of litellm's wrapping, in at most 240 characters."""
    text = str(getattr(chain[0], "original_exception", None) or chain[0]).partition("Traceback (most recent")[0]
    quoted = re.search(r"""["']message["']:\s*(?:"((?:[^"\\]|\\.)+)"|'((?:[^'\\]|\\.)+)')""", text)
    unwrapped = re.sub(r"^(?:[\w.]*(?:Error|Exception)(?:: | - ))+", "", text)
    words = (quoted[1] or quoted[2]) if quoted else unwrapped
    line = redact(" ".join(words[:10_000].split()), who.secrets)  # before it is cut, or half a key would stay
    return line if len(line) <= 240 else line[:239] + "…"
