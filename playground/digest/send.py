"""A message out to an incoming webhook. Its address is a secret: it is in no error, no log and no `repr`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from logging import CRITICAL, Logger, NullHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playground.errors import BadInput, PlaygroundError

if TYPE_CHECKING:
    from slack_sdk.http_retry.handler import RetryHandler

SLACK = "hooks.slack.com"
TIMEOUT_S = 10
TRIES = 3
PAUSE_S = 0.5
"""Before the second try; each further pause is twice as long."""
LONGEST_WAIT_S = 30
"""A server that asks to wait longer is not waited for: the digest is kept."""
KEPT = "The digest is kept"
_WORD = re.compile(r"[a-z][a-z_]{2,40}")


class NotDelivered(PlaygroundError):
    """A message did not go out, or nobody knows; the sentence says why and what to do, without the address."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where messages go. `repr` and `str` show the host and nothing more."""

    address: str = field(repr=False)
    host: str

    def __str__(self) -> str:
        return f"a webhook at {self.host}"

    @classmethod
    def parse(cls, text: str) -> Webhook:
        """Check an address: https, or http on this machine itself. Raises `BadInput`, without the address."""
        address = text.strip()
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            # The cause may hold a part of the address.
            raise BadInput(BAD_ADDRESS) from None
        local = parts.scheme == "http" and _is_loopback(host)
        if not (parts.scheme == "https" or local) or not host or "@" in parts.netloc or not address.isprintable():
            raise BadInput(BAD_ADDRESS)
        if (host == SLACK and not parts.path.strip("/")) or " " in address:
            raise BadInput(BAD_ADDRESS)
        return cls(address, host if port is None else f"{host}:{port}")


BAD_ADDRESS = (
    f"This is no webhook's address. Paste the whole of it as Slack shows it: it begins with https://{SLACK}/services/ ."
)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds, and how often is tried."""

    timeout_s: int = TIMEOUT_S
    tries: int = TRIES
    pause_s: float = PAUSE_S


def send(webhook: Webhook, message: Mapping[str, Any], patience: Patience | None = None) -> None:
    """Send a message, and try again after any error of the server (5xx), a lost connection or a limit. Raises `NotDelivered`.

    What timed out is not sent again: it may have arrived.
    """
    from slack_sdk.webhook import WebhookClient

    how = patience or Patience()
    tries: list[int] = []
    client = WebhookClient(webhook.address, how.timeout_s, logger=_silent(), retry_handlers=_handlers(how, tries))
    if webhook.host != SLACK and _is_loopback(urlsplit(webhook.address).hostname or ""):
        client.proxy = None
    try:
        answer = client.send_dict(dict(message))
    except Exception as error:
        # The cause is left out on purpose: its text may hold the address.
        raise NotDelivered(_failed(error, webhook, how)) from None
    arrived = 200 <= answer.status_code < 300 and (webhook.host != SLACK or answer.body.strip() == "ok")
    if not arrived:
        raise NotDelivered(_refused(answer.status_code, answer.body, webhook, len(tries)))


def _silent() -> Logger:
    """slack_sdk writes the address into its log, at any level that is not switched off."""
    logger = Logger("webhook", CRITICAL + 1)
    logger.addHandler(NullHandler())
    return logger


def _handlers(how: Patience, tries: list[int]) -> list[RetryHandler]:
    """Who decides on another try. `tries` gets a number for each that did not get through."""
    from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler
    from slack_sdk.http_retry.builtin_interval_calculators import BackoffRetryIntervalCalculator
    from slack_sdk.http_retry.handler import RetryHandler

    class Counted(RetryHandler):
        def can_retry(self, **_: Any) -> bool:
            tries.append(len(tries) + 1)
            return False

    class Server(RetryHandler):
        """slack_sdk's own knows 500 and 503 only."""

        def _can_retry(self, *, response: Any = None, **_: Any) -> bool:
            return response is not None and response.status_code >= 500

    class Patient(RateLimitErrorRetryHandler):
        def _can_retry(self, *, response: Any = None, **others: Any) -> bool:
            return super()._can_retry(response=response, **others) and _wait_s(response.headers) <= LONGEST_WAIT_S

    class Lost(ConnectionErrorRetryHandler):
        def _can_retry(self, *, error: Any = None, **others: Any) -> bool:
            return super()._can_retry(error=error, **others) and not _timed_out(error)

    again, pause = how.tries - 1, BackoffRetryIntervalCalculator(how.pause_s)
    return [Counted(), Patient(again), Server(again, pause), Lost(again, pause)]


def _wait_s(headers: Mapping[str, Any]) -> float:
    """What a server asks to wait; without end where it cannot be read."""
    said = next((v for k, v in headers.items() if k.lower() == "retry-after"), "1")
    text = str(said[0] if isinstance(said, list) else said)
    return float(text) if text.isdigit() else float("inf")


def _timed_out(error: object) -> bool:
    return isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)


def _failed(error: Exception, webhook: Webhook, how: Patience) -> str:
    if _timed_out(error):
        return (
            f"The webhook at {webhook.host} did not answer within {how.timeout_s} s. {KEPT}; it may have arrived all the same, so "
            "look in the channel before you try again."
        )
    return f"The webhook at {webhook.host} could not be reached ({type(error).__name__}). {KEPT}; check the network and try again."


def _refused(code: int, body: str, webhook: Webhook, tries: int) -> str:
    word = f", {body.strip()}" if _WORD.fullmatch(body.strip()) else ""
    if code == 429:
        return f"{webhook.host} is limiting how often this webhook may be used. {KEPT}; try again in a few minutes."
    if code >= 500:
        last = f", at the last of {tries} tries" if tries > 1 else ""
        return f"{webhook.host} had an error of its own ({code}){last}. {KEPT}; try again later."
    if code < 400:
        return f"{webhook.host} answered without taking the message ({code}). {KEPT}; check the webhook's address."
    return (
        f"{webhook.host} refused the webhook ({code}{word}): it was taken away, or its address is not whole. {KEPT}; make a new "
        "webhook in Slack and paste its address."
    )
