"""Live calls against a fake server: what comes back, what fails and how, and that no key ever shows."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from playground import tokens
from playground.caps import Caps, Purse
from playground.catalog import reasoning_tokens
from playground.errors import BadInput, CallFailed, Cancelled
from playground.gateway import KEY_NAMES, Connection, Gateway, _cap, _effort, _litellm, keys_from, warm
from playground.local import endpoint_models
from playground.loop import THINKING_ROOM
from playground.pipeline import Pipeline, load_shipped
from playground.pipeline_file import shipped
from playground.records import (
    Candidate,
    Completion,
    Context,
    Effort,
    FailureKind,
    Message,
    Model,
    OutputSpec,
    Prompt,
    Request,
    Ticket,
    Usage,
)
from playground.watch import Unwatched
from playground.workshop import make_router
from playground.worst_case import request_usd
from tests.fake_server import FakeServer, Reply

# Newer litellm releases silence this one by themselves, but pytest's own filters come after theirs.
pytestmark = pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning")

ROOT = Path(__file__).resolve().parents[1]
KEY = "gsk_Zq81mNv02LkTw55PaRb3"
SCHEMA = {"type": "object", "required": ["label"], "properties": {"label": {"type": "string"}}}
INPUT_TOKENS = 321


@pytest.fixture(scope="module", autouse=True)
def _warm() -> Iterator[None]:
    with warnings.catch_warnings(action="ignore"):  # litellm's import deprecates things of its own
        warm()
    tokens.count("")
    gc.freeze()  # litellm's objects would make each collection below take a third of a second
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    """An unclosed socket warns when it is collected, and a warning is an error."""
    yield
    gc.collect()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


def ask(model: str, server: FakeServer | None = None, timeout_s: float = 5.0, **model_fields: Any) -> Request:
    """A request to a model of the fake server's; give an id and a provider to go by a provider's own rules."""
    entry = Model(f"openai/{model}", model, "Acme", None, None, None, endpoint=server.base_url if server else None)
    prompt = Prompt("intent", 1, (Message("system", "You sort."), Message("user", "Refund?")), INPUT_TOKENS, 3)
    return Request(
        Candidate(replace(entry, **model_fields)), prompt, OutputSpec("text"), 200, 40,
        Context(Ticket("t1", "Refund?"), {}, ()), timeout_s=timeout_s,
    )  # fmt: skip


def gateway(server: FakeServer, provider: str = "Acme", key: str | None = KEY) -> Gateway:
    """Everything at the fake server, also what would go to a provider."""
    here = Connection(provider, key, server.base_url)
    root = replace(here, base_url=server.base_url.removesuffix("/v1"))  # litellm adds /v1 for Anthropic by itself
    return Gateway({server.base_url: here, provider: root if provider in ("Anthropic", "Google") else here})


class Watching(Unwatched):
    """Keeps what arrives; `stop` cancels."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.started = threading.Event()
        self.stop = False

    def text(self, request: Request, chunk: str) -> None:
        self.heard.append(chunk)
        self.started.set()

    def restart(self, request: Request) -> None:
        self.heard.clear()

    def cancelled(self) -> bool:
        return self.stop


# The door


def python(code: str, folder: Path) -> str:
    """Run code in a fresh interpreter, in a folder of its own."""
    setup = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    command = [sys.executable, "-c", setup + code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_importing_the_gateway_does_not_load_litellm(tmp_path: Path) -> None:
    code = "import playground.gateway, playground.local; print('litellm' in sys.modules, 'openai' in sys.modules)"
    assert python(code, tmp_path).split() == ["False", "False"]


def test_the_door_reads_no_env_file_and_reaches_for_no_network(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_KEY=from-a-file\n")
    code = """
import os, socket
tried = []
socket.getaddrinfo = lambda *a, **k: tried.append(a) or []
socket.socket.connect = lambda *a, **k: tried.append(a)
os.environ["HF_HUB_OFFLINE"] = "0"
from playground.gateway import warm
warm()
import litellm
print(tried, "OPENAI_API_KEY" in os.environ, os.environ["HF_HUB_OFFLINE"], litellm.callbacks, litellm.telemetry)
"""
    assert python(code, tmp_path).strip() == "[] False 0 [] False"


# Answers


def test_an_answer_comes_with_its_usage_and_times(server: FakeServer) -> None:
    watch = Watching()
    done = gateway(server).complete(ask("slow", server), watch)
    assert done.text == "".join(watch.heard) == "Hello from the fake server."
    assert len(watch.heard) > 1
    assert (done.provenance, done.finish_reason, done.usage.counted) == ("live", "stop", "provider")
    assert done.first_token_s is not None
    assert done.latency_s is not None
    assert 0.2 <= done.first_token_s <= done.latency_s < 1


def test_an_answer_cut_by_the_cap_says_so(server: FakeServer) -> None:
    assert gateway(server).complete(ask("length", server)).finish_reason == "length"


def test_without_reported_usage_tokens_are_counted(server: FakeServer) -> None:
    done = gateway(server).complete(ask("no-usage", server))
    assert done.usage == Usage(INPUT_TOKENS, tokens.count(done.text), counted="estimate")


def test_a_usage_of_zeros_is_none() -> None:
    with FakeServer(script=lambda body: Reply(usage={"prompt_tokens": 0, "completion_tokens": 0})) as server:
        assert gateway(server).complete(ask("m", server)).usage.counted == "estimate"


def events(*parts: Any, named: bool = False) -> bytes:
    """An event stream; Anthropic names its events."""
    name = (lambda e: f"event: {e['type']}\n") if named else (lambda e: "")
    return "".join(f"{name(e)}data: {json.dumps(e)}\n\n" for e in parts).encode()


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}


def openai_stream(usage: dict[str, Any]) -> bytes:
    last = {"id": "1", "object": "chat.completion.chunk", "choices": [], "usage": usage}
    return events(chunk({"role": "assistant", "content": "Hi"}), chunk({}, "stop"), last) + b"data: [DONE]\n\n"


def anthropic_stream(usage: dict[str, Any], written: int) -> bytes:
    message = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": [], "stop_reason": None}
    return events(
        {"type": "message_start", "message": {**message, "usage": {**usage, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": written}},
        {"type": "message_stop"},
        named=True,
    )


def google_stream(usage: dict[str, Any]) -> bytes:
    candidate = {"content": {"parts": [{"text": "Hi"}], "role": "model"}, "finishReason": "STOP", "index": 0}
    return events({"candidates": [candidate], "usageMetadata": usage})


CACHED = {"prompt_tokens_details": {"cached_tokens": 64}}
THOUGHT = {"completion_tokens_details": {"reasoning_tokens": 40}}
USAGES = [
    ("gpt-5.4", "OpenAI", openai_stream({"prompt_tokens": 100, "completion_tokens": 60, **CACHED, **THOUGHT}),
     Usage(100, 60, 64, 0, 40, "provider")),
    ("claude-opus-4-5", "Anthropic",
     anthropic_stream({"input_tokens": 50, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 300}, 12),
     Usage(1350, 12, 1000, 300, 0, "provider")),
    ("gemini/gemini-2.5-flash", "Google",
     google_stream({"promptTokenCount": 1000, "candidatesTokenCount": 10, "thoughtsTokenCount": 30,
                    "cachedContentTokenCount": 700, "totalTokenCount": 1040}),
     Usage(1000, 40, 700, 0, 30, "provider")),
    ("deepseek/deepseek-v4-pro", "DeepSeek",
     openai_stream({"prompt_tokens": 100, "completion_tokens": 5, "prompt_cache_hit_tokens": 64}),
     Usage(100, 5, 64, 0, 0, "provider")),
    ("xai/grok-4.5", "xAI",
     openai_stream({"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 145, **CACHED, **THOUGHT}),
     Usage(100, 45, 64, 0, 40, "provider")),
]  # fmt: skip


@pytest.mark.parametrize(("model", "provider", "raw", "usage"), USAGES, ids=[case[1] for case in USAGES])
def test_every_provider_s_usage_is_told_one_way(model: str, provider: str, raw: bytes, usage: Usage) -> None:
    with FakeServer(script=lambda body: Reply(raw=raw)) as server:
        done = gateway(server, provider).complete(ask("", id=model, name=model, provider=provider))
    assert (done.text, done.usage, done.finish_reason) == ("Hi", usage, "stop")


def test_thinking_that_is_not_reported_is_counted_but_not_shown() -> None:
    thinking, said = chunk({"reasoning_content": "Let me think."}), chunk({"content": "Hi"})
    raw = events(thinking, said, chunk({}, "stop")) + b"data: [DONE]\n\n"
    watch = Watching()
    with FakeServer(script=lambda body: Reply(raw=raw)) as server:
        done = gateway(server).complete(ask("m", server), watch)
    thought = tokens.count("Let me think.")
    assert watch.heard == [done.text] == ["Hi"]
    assert done.usage == Usage(INPUT_TOKENS, thought + tokens.count("Hi"), reasoning_tokens=thought)


def test_thinking_goes_by_two_names() -> None:
    raw = events(chunk({"reasoning": "Let me think."}), chunk({"reasoning": {"no": "text"}}), chunk({"content": "Hi"}))
    with FakeServer(script=lambda body: Reply(raw=raw + b"data: [DONE]\n\n")) as server:
        done = gateway(server).complete(ask("m", server))
    assert (done.text, done.usage.reasoning_tokens) == ("Hi", tokens.count("Let me think."))


@pytest.mark.parametrize("odd", [{"choices": []}, {"choices": [{"index": 0, "delta": None}]}])
def test_chunks_without_anything_in_them_are_passed_over(odd: dict[str, Any]) -> None:
    raw = events({**chunk({}), **odd}, chunk({"content": "Hi"}), chunk({}, "stop")) + b"data: [DONE]\n\n"
    with FakeServer(script=lambda body: Reply(raw=raw)) as server:
        assert gateway(server).complete(ask("m", server)).text == "Hi"


def test_openai_s_own_chunks_are_not_read_through_litellm(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which takes 0.3 ms for each: 90 ms of a long answer."""
    wrapper = _litellm().CustomStreamWrapper
    monkeypatch.setattr(wrapper, "__next__", lambda self: pytest.fail("read through litellm"))
    done = gateway(server).complete(ask("fake", server))
    assert (done.text, done.usage.counted) == ("Hello from the fake server.", "provider")


def test_calls_run_side_by_side(server: FakeServer) -> None:
    calls = [ask("slow", server)] * 3
    gateway(server).complete(calls[0])
    started = time.perf_counter()
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(gateway(server).complete, calls))
    assert [d.text for d in done] == ["Hello from the fake server."] * 3
    assert time.perf_counter() - started < 0.5


def test_overhead_is_a_few_milliseconds(server: FakeServer) -> None:
    live = gateway(server)
    times = sorted(live.complete(ask("fake", server)).latency_s or 1 for _ in range(40))
    assert times[10] < 0.05  # a third of it here; the bound is loose, for a busy machine


# What is sent

BUDGET = {"type": "enabled", "budget_tokens": 1024}
SENT = [
    ("gpt-5.4", "OpenAI", "high", {"reasoning_effort": "high", "max_completion_tokens": 200}),
    ("gpt-5.6-sol", "OpenAI", "max", {"reasoning_effort": "xhigh"}),
    ("gpt-5", "OpenAI", "max", {"reasoning_effort": "high"}),
    ("gpt-5", "OpenAI", "default", {"reasoning_effort": None}),
    ("gpt-4o", "OpenAI", "none", {"reasoning_effort": None, "max_tokens": 200}),
    ("claude-opus-4-6", "Anthropic", "max", {"output_config": {"effort": "max"}}),
    ("claude-opus-4-5", "Anthropic", "low", {"thinking": BUDGET, "max_tokens": 1104}),
    ("claude-opus-4-5", "Anthropic", "none", {"thinking": None, "max_tokens": 200}),
    ("deepseek/deepseek-v4-pro", "DeepSeek", "none", {"thinking": {"type": "disabled"}}),
]
REFUSED = [
    ("gpt-5", "OpenAI", "xhigh", "medium"),
    ("gpt-5", "OpenAI", "none", "medium"),
    ("gpt-4o", "OpenAI", "high", "none"),
    ("claude-fable-5", "Anthropic", "none", "high"),
    ("gemini/gemini-2.5-flash", "Google", "xhigh", "low"),
    ("deepseek/deepseek-v4-pro", "DeepSeek", "low", "high"),
]


def at(effort: Effort, model: str, provider: str, default: Effort = "none") -> Request:
    request = ask("", id=model, name=model, provider=provider, default_effort=default)
    return replace(request, candidate=replace(request.candidate, effort=effort))


@pytest.mark.parametrize(("model", "provider", "effort", "sent"), SENT)
def test_effort_and_cap_are_sent_as_the_model_takes_them(
    model: str, provider: str, effort: Effort, sent: dict[str, Any]
) -> None:
    raw = {"Anthropic": anthropic_stream({"input_tokens": 1}, 1)}.get(provider)
    with FakeServer(script=lambda body: Reply(raw=raw)) as fake:
        gateway(fake, provider).complete(at(effort, model, provider))
    (body,) = fake.seen
    assert {name: body.get(name) for name in sent} == sent
    assert body["stream"] is True


@pytest.mark.parametrize(("model", "provider", "effort", "default"), REFUSED)
def test_an_effort_that_would_be_dropped_in_silence_is_refused(
    server: FakeServer, model: str, provider: str, effort: Effort, default: Effort
) -> None:
    with pytest.raises(CallFailed, match=f"cannot be asked for effort {effort}") as failed:
        gateway(server, provider).complete(at(effort, model, provider, default))
    assert failed.value.kind == "bad_request"
    assert server.seen == []


def test_json_is_asked_for_where_a_model_takes_it(server: FakeServer) -> None:
    def format_sent(request: Request, spec: OutputSpec) -> Any:
        gateway(server, request.candidate.model.provider).complete(replace(request, output=spec))
        return server.seen[-1].get("response_format")

    openai, deepseek = at("default", "gpt-5.4", "OpenAI"), at("default", "deepseek/deepseek-v4-pro", "DeepSeek")
    schema = {"type": "json_schema", "json_schema": {"name": "intent", "schema": SCHEMA}}
    assert format_sent(openai, OutputSpec("json", SCHEMA)) == schema
    assert format_sent(openai, OutputSpec("json")) == {"type": "json_object"}
    assert format_sent(openai, OutputSpec("text")) is None
    assert format_sent(deepseek, OutputSpec("json", SCHEMA)) == {"type": "json_object"}
    assert format_sent(ask("plain-text", server), OutputSpec("json", SCHEMA)) is None


def test_an_endpoint_without_a_key_is_never_sent_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-users-own-openai-key")
    with FakeServer(script=lambda body: Reply(wants_key="no-key-needed")) as server:
        assert gateway(server, key=None).complete(ask("m", server)).text


def test_a_model_litellm_does_not_know_is_still_called(server: FakeServer) -> None:
    assert gateway(server, "OpenAI").complete(at("default", "gpt-99-nova", "OpenAI")).text
    assert server.seen[0]["model"] == "gpt-99-nova"


# Failures

FAILURES: list[tuple[str, FailureKind, str]] = [
    ("bad-key", "auth", "Acme refused the key. Check it in Settings."),
    ("forbidden", "no_access", "does not let this key use forbidden"),
    ("rate-limited", "rate_limit", "Try again in 7 seconds"),
    ("broken", "server", "error of its own (500)"),
    ("overloaded", "server", "error of its own (503)"),
    ("unknown", "bad_request", "does not know the model openai/unknown"),
    ("too-long", "bad_request", "too long for too-long (321 tokens)"),
    ("hang", "timeout", "did not finish within 0.5 seconds"),
    ("trickle", "timeout", "did not finish within 0.5 seconds"),
    ("cut", "cut_stream", "broke off in the middle"),
    ("drop", "connection", "closed the connection"),
    ("garbage", "malformed", "not with a chat completion"),
    ("no-choices", "malformed", "not with a chat completion"),
]


def fail(server: FakeServer, model: str, timeout_s: float = 0.5, **connection: Any) -> CallFailed:
    with pytest.raises(CallFailed) as failed:
        gateway(server, **connection).complete(ask(model, server, timeout_s))
    return failed.value


@pytest.mark.parametrize(("model", "kind", "words"), FAILURES, ids=[case[0] for case in FAILURES])
def test_each_failure_has_a_kind_and_a_sentence(server: FakeServer, model: str, kind: FailureKind, words: str) -> None:
    failed = fail(server, model)
    assert failed.kind == kind
    assert words in str(failed)
    assert "Acme" in str(failed) or kind == "bad_request"
    assert (failed.partial is not None) == (kind in ("timeout", "cut_stream", "connection"))


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(status=429, message="You exceeded your current quota"), "rate_limit", "out of quota"),
        (Reply(status=429, retry_after="Wed, 21 Oct 2099 07:28:00 GMT"), "rate_limit", "Try again in "),
        (Reply(status=429, retry_after="in a while"), "rate_limit", "Wait a moment"),
        (Reply(status=402, message="Insufficient balance"), "no_credit", "out of credit"),
        (Reply(status=422, message="temperature is 3"), "bad_request", "Acme refused the request: temperature is 3"),
        (Reply(status=404, message="no such page"), "bad_request", "Check its name"),
        (Reply(raw=events({"error": {"message": "GPU on fire", "code": 500}})), "server", "GPU on fire"),
        (Reply(raw=b"data: {not json\n\n"), "malformed", "not with a chat completion"),
    ],
)
def test_other_answers_a_server_may_give(reply: Reply, kind: FailureKind, words: str) -> None:
    with FakeServer(script=lambda body: reply) as server:
        failed = fail(server, "m")
    assert (failed.kind, words in str(failed)) == (kind, True), str(failed)


def test_what_arrived_before_a_cut_is_kept_and_counted(server: FakeServer) -> None:
    partial = fail(server, "cut").partial
    assert isinstance(partial, Completion)
    assert partial.text == "Hello from the fake serv"
    assert partial.usage == Usage(INPUT_TOKENS, tokens.count(partial.text), counted="estimate")
    assert partial.finish_reason == "cut"


BEGUN = events(*[chunk({"role": "assistant", "content": ""})] * 5)
BEGINNINGS = {
    "cut before its first text": (Reply(raw=BEGUN, mode="cut"), "cut_stream"),
    "over before its first text": (Reply(raw=BEGUN), "malformed"),
    "dropped without an answer": (Reply(mode="drop"), "connection"),
    "an error in the stream": (Reply(raw=events({"error": {"message": "Overloaded", "code": 500}})), "server"),
}


@pytest.mark.parametrize(("reply", "kind"), BEGINNINGS.values(), ids=BEGINNINGS)
def test_what_breaks_off_before_its_first_text_bills_its_prompt(reply: Reply, kind: FailureKind) -> None:
    with FakeServer(script=lambda body: reply) as server:
        failed = fail(server, "m")
    assert failed.kind == kind
    assert failed.partial is not None
    assert (failed.partial.text, failed.partial.usage) == ("", Usage(INPUT_TOKENS, 0))


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429, 500, 503, 529])
def test_what_an_http_error_refuses_bills_nothing(status: int) -> None:
    with FakeServer(script=lambda body: Reply(status=status)) as server:
        assert fail(server, "m").partial is None


def test_who_cannot_be_reached_bills_nothing() -> None:
    with FakeServer() as server:
        pass
    assert fail(server, "m", timeout_s=5).partial is None


def test_a_cap_keeps_room_for_a_stream_that_breaks_before_its_first_text() -> None:
    purse = Purse(Decimal(10))
    with FakeServer(script=lambda body: Reply(raw=BEGUN, mode="cut")) as server:
        (model,) = endpoint_models(server.base_url, ["m"], Decimal(10), Decimal(50))
        request = replace(ask("m", server), candidate=Candidate(model))
        gateway_ = Gateway({server.base_url: Connection(model.provider, "k", server.base_url)})
        with pytest.raises(CallFailed):
            Caps(run=purse).call(request, Unwatched(), gateway_.complete)
    assert purse.spent_usd == Decimal(10) * INPUT_TOKENS / 1_000_000
    assert purse.unsure_usd == (request_usd(request) or 0) - purse.spent_usd > 0


def test_a_time_out_counts_what_was_sent_and_what_arrived(server: FakeServer) -> None:
    silent, trickled = fail(server, "hang").partial, fail(server, "trickle").partial
    assert silent is not None
    assert trickled is not None
    assert (silent.text, silent.usage) == ("", Usage(INPUT_TOKENS, 0))
    assert trickled.text.startswith("..")
    assert trickled.usage.output_tokens > 0


@pytest.mark.parametrize("model", ["hang", "trickle"])
def test_the_deadline_is_total(server: FakeServer, model: str) -> None:
    started = time.perf_counter()
    fail(server, model, timeout_s=0.4)
    assert time.perf_counter() - started < 0.7


def test_gemini_s_hung_call_keeps_the_deadline_too() -> None:
    with FakeServer(script=lambda body: Reply(mode="hang")) as server:
        request = replace(at("default", "gemini/gemini-2.5-flash", "Google"), timeout_s=0.4)
        started = time.perf_counter()
        with pytest.raises(CallFailed, match="did not finish"):
            gateway(server, "Google").complete(request)
        assert time.perf_counter() - started < 0.7


ONE_OF_EACH = [
    ("claude-opus-4-5", "Anthropic"),
    ("gemini/gemini-2.5-flash", "Google"),
    ("gpt-5.4", "OpenAI"),
    ("mistral/mistral-large-4", "Mistral"),
    ("deepseek/deepseek-v4-pro", "DeepSeek"),
    ("xai/grok-4.5", "xAI"),
    ("dashscope/qwen3.7-max", "Alibaba"),
    ("deepinfra/meta-llama/Llama-3.3-70B-Instruct-Turbo", "Meta"),
]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "auth"), (404, "bad_request"), (429, "rate_limit"), (503, "server")]
)
@pytest.mark.parametrize(("model", "provider"), ONE_OF_EACH, ids=[case[1] for case in ONE_OF_EACH])
def test_every_provider_s_failure_is_told_one_way_and_never_retried(
    model: str, provider: str, status: int, kind: FailureKind
) -> None:
    with FakeServer(script=lambda body: Reply(status=status)) as server, pytest.raises(CallFailed) as failed:
        gateway(server, provider).complete(at("default", model, provider))
    assert failed.value.kind == kind
    assert len(server.seen) == 1


def test_nobody_listening() -> None:
    with FakeServer() as gone:
        pass
    failed = fail(gone, "m")
    assert failed.kind == "connection"
    assert f"could not be reached at 127.0.0.1:{gone.port}" in str(failed)


def test_no_key_no_call(server: FakeServer) -> None:
    anthropic = ask("", id="claude-opus-4-5", name="claude-opus-4-5", provider="Anthropic")
    amazon = ask("", id="amazon.nova-pro-v1:0", name="nova-pro", provider="Amazon")
    for connections in ({}, {"Anthropic": Connection("Anthropic")}):
        with pytest.raises(CallFailed, match="No key for Anthropic. Add one in Settings, or use rehearsal.") as failed:
            Gateway(connections).complete(anthropic)
        assert failed.value.kind == "auth"
    with pytest.raises(CallFailed, match="nova-pro runs on Amazon Bedrock"):
        Gateway({}).complete(amazon)


# Cancelling


def cancel(server: FakeServer, model: str, when: threading.Event, watch: Watching) -> tuple[Cancelled, float]:
    """Cancel a call once `when` is set; returns what was raised and the seconds it took."""
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(gateway(server).complete, ask(model, server, 10.0), watch)
        assert when.wait(5)
        watch.stop, asked = True, time.perf_counter()
        with pytest.raises(Cancelled) as stopped:
            call.result(5)
        return stopped.value, time.perf_counter() - asked


def test_cancelling_a_stream_keeps_its_text_and_hangs_up(server: FakeServer) -> None:
    watch = Watching()
    stopped, took_s = cancel(server, "trickle", watch.started, watch)
    assert took_s < 0.5
    assert stopped.partial is not None
    assert stopped.partial.text == "".join(watch.heard) != ""
    assert (stopped.partial.usage.counted, stopped.partial.finish_reason) == ("estimate", "cancelled")
    assert server.hung_up.wait(2)


@pytest.mark.parametrize(
    ("model", "provider", "raw"),
    [
        ("claude-opus-4-5", "Anthropic", anthropic_stream({"input_tokens": 1}, 1)),
        ("gemini/gemini-2.5-flash", "Google", google_stream({"promptTokenCount": 1}).replace(b"STOP", b"") * 9),
    ],
)
def test_other_providers_are_hung_up_on_too(model: str, provider: str, raw: bytes) -> None:
    watch = Watching()
    watch.text = lambda request, chunk: setattr(watch, "stop", True)  # type: ignore[method-assign]
    with FakeServer(script=lambda body: Reply(raw=raw.replace(b"Hi", b"Hi" * 5) * 30, gap_s=0.05)) as server:
        with pytest.raises(Cancelled):
            gateway(server, provider).complete(at("default", model, provider), watch)
        assert server.hung_up.wait(2)


def test_cancelling_a_silent_call_does_not_wait_for_it(server: FakeServer) -> None:
    sent = threading.Event()
    server.answer = lambda body: ""
    threading.Thread(target=lambda: (_until(lambda: bool(server.seen)), sent.set()), daemon=True).start()
    stopped, took_s = cancel(server, "hang", sent, Watching())
    assert took_s < 0.5
    assert stopped.partial is not None
    assert stopped.partial.usage == Usage(INPUT_TOKENS, 0)


def _until(ready: Any) -> None:
    for _ in range(500):
        if ready():
            return
        time.sleep(0.01)


def test_nothing_is_heard_after_a_call_was_given_up(server: FakeServer) -> None:
    watch = Watching()
    with pytest.raises(CallFailed) as failed:
        gateway(server).complete(ask("trickle", server, 0.35), watch)
    heard = list(watch.heard)
    time.sleep(0.3)
    assert watch.heard == heard
    assert failed.value.partial is not None
    assert failed.value.partial.text == "".join(heard) != ""


def test_an_error_of_the_watch_s_own_reaches_its_caller(server: FakeServer) -> None:
    class Broken(Unwatched):
        def text(self, request: Request, chunk: str) -> None:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        gateway(server).complete(ask("fake", server), Broken())


def test_a_call_cancelled_before_it_starts_is_never_sent(server: FakeServer) -> None:
    watch = Watching()
    watch.stop = True
    with pytest.raises(Cancelled) as stopped:
        gateway(server).complete(ask("fake", server), watch)
    assert stopped.value.partial is None
    assert server.seen == []


# Keys


@pytest.mark.parametrize("model", [case[0] for case in FAILURES])
@pytest.mark.parametrize("key", [KEY, "plainKeyWithoutAnyShape", "sk-ant-api03-Ab12Cd34_Ef56"])
def test_a_key_shows_nowhere(
    server: FakeServer, model: str, key: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    failed = fail(server, model, key=key)
    said = [str(failed), repr(failed), repr(failed.partial), *traceback.format_exception(failed)]
    shown = [*said, caplog.text, *capfd.readouterr()]
    assert not [text for text in shown if key in text]
    assert failed.__cause__ is None
    assert failed.__context__ is None


def test_a_key_is_in_no_variable_a_traceback_may_show(server: FakeServer) -> None:
    frames = [frame for frame, _ in traceback.walk_tb(fail(server, "bad-key").__traceback__)]
    ours = [repr(frame.f_locals) for frame in frames if "playground" in Path(frame.f_code.co_filename).parts[-2]]
    assert len(ours) > 2
    assert not [shown for shown in ours if KEY in shown]


def test_half_a_key_is_not_left_where_a_message_is_cut() -> None:
    key = "plainKeyWithoutAnyShape"
    with FakeServer(script=lambda body: Reply(status=400, message="x" * 225, echo_key=True)) as server:
        assert "plainKey" not in str(fail(server, "m", key=key))


def test_a_key_the_provider_repeats_is_removed() -> None:
    with FakeServer(script=lambda body: Reply(status=400, message="I do not like", echo_key=True)) as server:
        failed = fail(server, "m", key="plainKeyWithoutAnyShape")
    assert str(failed) == "Acme refused the request: I do not like: [key removed]"


def test_a_key_that_a_model_repeats_is_neither_kept_nor_streamed() -> None:
    watching = Watching()
    key = "plainKeyWithoutAnyShape"
    with FakeServer(script=lambda body: Reply(text=f"Your key is {key}.", piece=400)) as server:
        done = gateway(server, key=key).complete(ask("m", server), watching)
    assert done.text == "Your key is [key removed]." == "".join(watching.heard)


def test_a_placeholder_for_a_key_stays_a_word() -> None:
    with FakeServer(script=lambda body: Reply(text="Ask your local office.", piece=400)) as server:
        assert gateway(server, key="local").complete(ask("m", server)).text == "Ask your local office."


def test_a_key_is_no_part_of_a_repr() -> None:
    connection = Connection("Acme", KEY)
    assert KEY not in repr(connection) + repr(Gateway({"Acme": connection}))


def test_keys_are_read_from_secrets_before_the_environment() -> None:
    environ = {"OPENAI_API_KEY": "no", "GOOGLE_API_KEY": "google", "MISTRAL_API_KEY": "  ", "XAI_API_KEY": '"quoted" '}
    secrets = {"OPENAI_API_KEY": " from-secrets\n", "ANTHROPIC_API_KEY": "", "DEEPSEEK_API_KEY": {"not": "text"}}
    found = keys_from(environ, secrets)
    keys = {name: connection.api_key for name, connection in found.items()}
    assert keys == {"OpenAI": "from-secrets", "Google": "google", "xAI": "quoted"}
    assert found["Google"] == Connection("Google", "google")
    assert keys_from({}, {}) == {}


def test_every_provider_has_a_variable() -> None:
    environ = {names[-1]: f"key-of-{provider.lower()}" for provider, names in KEY_NAMES.items()}
    assert list(keys_from(environ, {})) == list(KEY_NAMES)


@pytest.mark.parametrize("key", ["sk-abc—def", "sk-abc def", "sk-abc\ndef", "ключ"])
def test_what_cannot_be_a_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(BadInput, match="OPENAI_API_KEY holds a character") as refused:
        keys_from({"OPENAI_API_KEY": key}, {})
    assert key not in str(refused.value)


# What a call may cost at most


@pytest.mark.parametrize("flow", [load_shipped(name) for name in shipped()], ids=lambda flow: flow.name)
def test_no_more_output_is_asked_for_than_a_cap_on_spending_counts_with(flow: Pipeline) -> None:
    router = make_router(flow)
    litellm = _litellm()
    for stage in flow.stages:
        for candidate in router.candidates:
            room = stage.max_output_tokens + THINKING_ROOM * reasoning_tokens(candidate, stage.typical_output_tokens)
            request = replace(ask("m"), candidate=candidate, max_output_tokens=room,
                              typical_output_tokens=stage.typical_output_tokens)  # fmt: skip
            with contextlib.suppress(CallFailed):  # an effort that cannot be asked for is never sent
                assert _cap(litellm, request, _effort(litellm, request)) <= room, (stage.key, candidate.key)


def test_a_key_has_a_name_that_tells_keys_apart_and_nothing_else(server: FakeServer) -> None:
    one, two, none = gateway(server), gateway(server, key="another-key"), gateway(server, key=None)
    model = ask("m", server).candidate.model
    assert one.key_id(model) == gateway(server).key_id(model) != two.key_id(model)
    assert none.key_id(model) == "" == Gateway({}).key_id(model)
    assert KEY not in one.key_id(model)
