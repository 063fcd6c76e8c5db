"""Embeddings through the gateway and a server in OpenAI's format: what goes out, what becomes of failures, what is billed."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from playground.caps import Caps, Purse
from playground.embedded_rows import embedding_request
from playground.embedders import embedder_of, known_embedders, own_embedder, rules_name
from playground.errors import BadInput, CallFailed, Cancelled, HandedOver
from playground.gateway import KEY_NAMES, Connection, Gateway, warm
from playground.guarded import Surroundings, compared_by, guarded, why_letters
from playground.middleware import around
from playground.money import Total
from playground.pipeline import parse
from playground.receipts import Biller
from playground.records import (
    EMBEDDED,
    Attempt,
    Completion,
    Message,
    Model,
    Output,
    OutputSpec,
    Prompt,
    Provenance,
    Request,
    Usage,
    Verdict,
)
from playground.runtime import EmbeddingRules, Runtime, as_yaml
from playground.semantic_cache import SemanticCache
from playground.watch import Unwatched, Watch
from tests.calls import MODEL, call
from tests.fake_server import STANDARD, Body, FakeServer, Reply
from tests.scripted import make

# Newer litellm releases silence this one by themselves, but pytest's own filters come after theirs.
pytestmark = pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning")

QUIET = Unwatched()
KEY = "sk-fake-key-of-a-test"
FIRST, AGAIN = "How do I reset my password?", "how can I reset the passwords, please"
RULES = EmbeddingRules("text-embedding-3-small", 0.9, 1_000, 200, 1)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    with warnings.catch_warnings(action="ignore"):  # litellm's import deprecates things of its own
        warm()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(lambda body: '{"label": "card"}', lambda body: STANDARD.get(body["model"], Reply())) as found:
        yield found


def gateway(server: FakeServer) -> Gateway:
    return Gateway({server.base_url: Connection("Fake", KEY, server.base_url)})


def vectors(server: FakeServer, model: str, *texts: str, timeout_s: float = 5.0) -> Request:
    messages = tuple(Message("user", text) for text in texts)
    prompt = Prompt("intent", 1, messages, 5, 0)
    asked = call(model=Model(f"openai/{model}", model, "Fake", None, None, None, endpoint=server.base_url))
    return replace(asked, output=OutputSpec("vector"), prompt=prompt, timeout_s=timeout_s)


def test_texts_become_vectors_in_one_call(server: FakeServer) -> None:
    done = gateway(server).complete(vectors(server, "letters", "aab", "z"))
    assert [v[:3] for v in done.vectors] == [(1, 2, 1), (1, 0, 0)]
    assert (done.text, done.usage, done.provenance) == ("", Usage(1, 0, counted="provider"), "live")
    assert (done.latency_s or 0) > 0
    (body,) = server.seen
    assert (body["input"], body["encoding_format"]) == (["aab", "z"], "float")


@pytest.mark.parametrize(
    ("model", "kind", "says", "billed"),
    [
        ("bad-key", "auth", "Fake refused the key", False),
        ("rate-limited", "rate_limit", "Try again in 7 seconds", False),
        ("broken", "server", "had an error of its own", False),
        ("hang", "timeout", "did not embed the text within 0.5 seconds", True),
        ("drop", "connection", "closed the connection", True),
        ("garbage", "malformed", "did not answer with embeddings", False),
        ("no-choices", "malformed", "did not answer with embeddings", True),
    ],
)
def test_a_failure_is_a_sentence_without_the_key(
    server: FakeServer, model: str, kind: str, says: str, billed: bool
) -> None:
    with pytest.raises(CallFailed, match=says) as raised:
        gateway(server).complete(vectors(server, model, "x", timeout_s=0.5))
    failed = raised.value
    assert (failed.kind, len(server.seen)) == (kind, 1)
    assert "sk-fake" not in str(failed)
    assert (failed.__cause__, failed.__context__) == (None, None)
    assert (failed.partial is not None) is billed
    assert failed.partial is None or failed.partial.usage == Usage(5, 0)


@pytest.mark.parametrize(
    "data",
    [
        [], [{"index": 0, "embedding": [1.0]}] * 3, [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [None]}, {"index": 1, "embedding": [1.0]}],
    ],
    ids=json.dumps,
)  # fmt: skip
def test_vectors_that_do_not_fit_are_a_sentence_and_are_billed(
    monkeypatch: pytest.MonkeyPatch, data: list[Body]
) -> None:
    said = {"object": "list", "data": data, "model": "odd", "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    monkeypatch.setattr("tests.fake_server._embeddings", lambda body: said)
    with FakeServer() as server, pytest.raises(CallFailed, match="did not answer with embeddings") as raised:
        gateway(server).complete(vectors(server, "odd", "x", "y"))
    assert raised.value.kind == "malformed"
    assert raised.value.partial is not None
    assert raised.value.partial.usage.input_tokens in (3, 5)


def test_a_server_that_reports_no_usage_is_billed_by_our_count(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"object": "list", "data": [{"index": 0, "embedding": [1.0, 2.0]}], "model": "quiet"}
    monkeypatch.setattr("tests.fake_server._embeddings", lambda body: said)
    with FakeServer() as server:
        done = gateway(server).complete(vectors(server, "quiet", "x"))
    assert done.usage == Usage(5, 0, counted="estimate")


class Stopped(Unwatched):
    """Stops after it was asked `left` times."""

    def __init__(self, left: int) -> None:
        self.left = left

    def cancelled(self) -> bool:
        """Whether it was asked often enough."""
        self.left -= 1
        return self.left < 0


def test_a_call_is_cancelled_before_it_goes_out_and_while_it_hangs(server: FakeServer) -> None:
    with pytest.raises(Cancelled) as before:
        gateway(server).complete(vectors(server, "hang", "x"), Stopped(0))
    assert (before.value.partial, server.seen) == (None, [])
    with pytest.raises(Cancelled) as during:
        gateway(server).complete(vectors(server, "hang", "x"), Stopped(3))
    assert during.value.partial is not None
    assert during.value.partial.usage == Usage(5, 0)


def attempts(by: SemanticCache, text: str, server: FakeServer, biller: Biller) -> tuple[Attempt, ...]:
    def whole(request: Request, watch: Watch) -> Completion:
        return by.call(request, watch, gateway(server).complete)

    def fits(request: Request, done: Completion) -> tuple[Verdict, Output | None]:
        return Verdict(True), done.text

    asked = call(text, model=replace(MODEL, endpoint=server.base_url, provider="Fake"))
    return biller.attempts(asked, QUIET, whole, fits)


@pytest.mark.parametrize(
    "model", ["letters", "bad-key", "rate-limited", "broken", "hang", "drop", "garbage", "no-choices"]
)
def test_receipts_add_up_to_what_the_server_was_asked_for(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setattr("playground.embedded_rows.TIMEOUT_S", 0.5)
    embedder = own_embedder(model, server.base_url, Decimal("0.02"))
    by = SemanticCache("live", threshold=0.8, embedder=embedder)
    biller = Biller("support", "kr-auto", "intent", "live")
    found = [a for text in (FIRST, AGAIN) for a in attempts(by, text, server, biller)]
    assert [a.error for a in found if not a.receipt.embedded] == [None, None]
    sources = [a.receipt.source for a in found if not a.receipt.embedded]
    assert sources == (["model", "semantic cache"] if model == "letters" else ["model", "model"])
    embedded = [a.receipt for a in found if a.receipt.embedded]
    asked = [body for body in server.seen if "input" in body]
    assert len(asked) == len(embedded) == (2 if model == "letters" else 1)
    assert len(server.seen) - len(asked) == sources.count("model")
    assert {r.rule for r in embedded} == {EMBEDDED}
    if model == "letters":
        assert [r.usage.input_tokens for r in embedded] == [1, 1]
        assert Total.of(r.cost_usd for r in embedded).exact_usd == Decimal("0.00000004")


def test_calls_side_by_side_cost_what_the_server_counted_and_cross_no_cap(server: FakeServer) -> None:
    embedder = own_embedder("letters", server.base_url, Decimal("0.02"))
    by, purse = SemanticCache("live", threshold=1.0, embedder=embedder), Purse(Decimal("0.0025"))
    complete = around((by, Caps(run=purse)), gateway(server).complete)
    model = replace(MODEL, endpoint=server.base_url, provider="Fake")
    biller = Biller("support", "kr-auto", "intent", "live")

    def one(n: int) -> tuple[Attempt, ...]:
        asked = call(f"Where is the {'abcdefghij'[n % 10] * (5 + n // 10)}", model=model)
        try:
            return biller.attempts(asked, QUIET, complete, lambda request, done: (Verdict(True), done.text))
        except HandedOver as held:
            return biller.tried(asked, held.tries)

    # Of clients that threads make at once litellm keeps one, and drops the others with their connections open.
    gateway(server).complete(vectors(server, "letters", "first"))
    gateway(server).complete(call("first", model=model))
    server.seen.clear()
    with ThreadPoolExecutor(8) as pool:
        receipts = [a.receipt for found in pool.map(one, range(40)) for a in found]
    embedded, answered = ([r for r in receipts if r.embedded is kind] for kind in (True, False))
    asked = [body for body in server.seen if "input" in body]
    assert (len(embedded), len(answered)) == (len(asked), len(server.seen) - len(asked))
    assert 0 < len(answered) < 40
    assert sum(r.usage.input_tokens for r in embedded) == len(asked), "the server counts one token for each call"
    assert purse.spent_usd == Total.of(r.cost_usd for r in receipts).exact_usd
    assert purse.spent_usd + purse.unsure_usd <= purse.cap_usd


# Which model


def test_the_known_models_have_a_price_and_a_provider_that_a_key_reaches() -> None:
    found = {m.name: m for m in known_embedders()}
    assert {"text-embedding-3-small", "mistral-embed", "gemini-embedding-001"} <= set(found)
    assert {m.provider for m in found.values()} <= set(KEY_NAMES)
    for m in found.values():
        assert m.price is not None
        assert (m.price.rates.input_usd_per_mtok or 0) > 0
        assert m.price.rates.output_usd_per_mtok == 0
    assert not [name for name in found if "ada" in name or "preview" in name or "code" in name]


def test_rules_name_a_known_model_or_one_at_an_endpoint() -> None:
    small = embedder_of(RULES)
    assert (small.provider, rules_name(small)) == ("OpenAI", "text-embedding-3-small")
    own = embedder_of(replace(RULES, model="openai/nomic", endpoint="http://127.0.0.1:9/v1/"))
    assert (own.id, own.endpoint, own.price, rules_name(own)) == (
        "openai/nomic",
        "http://127.0.0.1:9/v1",
        None,
        "openai/nomic",
    )
    free = embedder_of(replace(RULES, model="nomic", endpoint="http://127.0.0.1:9/v1", usd_per_mtok=Decimal(0)))
    assert free.price is not None
    with pytest.raises(BadInput, match="nomic is no known model for embeddings. Choose one of text-embedding-3-small"):
        embedder_of(replace(RULES, model="nomic"))


@pytest.mark.parametrize(
    ("rules", "provenance", "reached", "says"),
    [
        (RULES, "live", True, ""),
        (RULES, "rehearsal", True, "Only live runs compare by meaning"),
        (RULES, "live", False, "no key or connection for OpenAI"),
        (replace(RULES, endpoint="http://127.0.0.1:9/v1"), "live", False, "its address 127.0.0.1:9"),
        (replace(RULES, model="gone"), "live", True, "no known model for embeddings"),
        (None, "live", True, "No threshold for comparing by meaning"),
    ],
)
def test_by_meaning_or_by_letters_and_why(
    rules: EmbeddingRules | None, provenance: Provenance, reached: bool, says: str
) -> None:
    runtime = Runtime(semantic_cache=0.8, semantic_embedding=rules)
    why = why_letters(runtime, provenance, lambda model: reached)
    assert says in why
    assert bool(says) is bool(why)
    found = compared_by(runtime, provenance, lambda model: reached)
    assert found == ((0.9, embedder_of(RULES)) if not says else (0.8, None))


def test_an_agent_is_given_a_cache_by_meaning_only_where_the_semantic_cache_is_on() -> None:
    asked: list[tuple[float, Model | None]] = []

    def semantic(provenance: Provenance, threshold: float, embedder: Model | None) -> SemanticCache:
        asked.append((threshold, embedder))
        return SemanticCache(provenance, threshold=threshold, embedder=embedder)

    outside = Surroundings(semantic=semantic, reaches=Gateway({"OpenAI": Connection("OpenAI", KEY)}).reaches)
    agent = make()
    for runtime in (Runtime(semantic_embedding=RULES), Runtime(semantic_cache=0.8, semantic_embedding=RULES)):
        guarded(replace(agent, pipeline=replace(agent.pipeline, runtime=runtime)), outside)
    assert asked == [(0.9, embedder_of(RULES))]


def test_what_a_gateway_reaches() -> None:
    by = Gateway({"OpenAI": Connection("OpenAI", KEY), "Mistral": Connection("Mistral")})
    found = {m.name: by.reaches(m) for m in known_embedders()}
    assert (found["text-embedding-3-small"], found["mistral-embed"], found["gemini-embedding-001"]) == (
        True,
        False,
        False,
    )


# In a pipeline file

HEAD = "name: mine\ntitle: Mine\nextends: support\nstages: []\nruntime:\n  semantic_cache: 0.8\n  semantic_embedding:\n"
GOOD = {"model": "text-embedding-3-small", "threshold": 0.9, "requests": 1000, "hits": 200, "false_hits": 1}


def filed(**changes: object) -> str:
    values = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    return HEAD + "".join(f"    {name}: {json.dumps(value)}\n" for name, value in values.items())


def test_a_file_says_it_and_back() -> None:
    runtime = parse(filed(as_of="2026-11-26"), "mine.yaml").runtime
    assert runtime.semantic_embedding is not None
    assert replace(runtime.semantic_embedding, as_of=None) == RULES
    assert as_yaml(runtime) == {"semantic_cache": 0.8, "semantic_embedding": {**GOOD, "as_of": "2026-11-26"}}
    json.dumps(as_yaml(runtime))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"requests": None}, "semantic_embedding.requests: missing; it is needed"),
        ({"threshold": 0.4}, "line 9: runtime.semantic_embedding.threshold"),
        ({"threshold": "high"}, "threshold: Input should be a valid number"),
        ({"model": "a b"}, "semantic_embedding.model"),
        ({"hits": 10, "false_hits": 3}, "30.0% of the hits are wrong; a threshold that is used may have 2% at most."),
        ({"hits": 2000}, "nor hits more than requests."),
        ({"usd_per_mtok": 1}, "name its endpoint too."),
        ({"endpoint": "http://a:secret@b/v1"}, "without a key, a password or a query."),
        ({"endpont": "x"}, "unknown key; allowed here: model, threshold, requests"),
    ],
)
def test_a_mistake_in_a_file_is_one_sentence(changes: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput) as raised:
        parse(filed(**changes), "mine.yaml")
    assert says in str(raised.value)
    assert "secret" not in str(raised.value)


def test_every_known_model_is_asked_as_its_provider_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = {
        "embeddings": [{"values": [1.0, 2.0]}, {"values": [2.0, 1.0]}],
        "usageMetadata": {"promptTokenCount": 4},
    }
    monkeypatch.setattr("tests.fake_server._whole", lambda body, reply, text: answered)
    with FakeServer() as server:
        for model in known_embedders():
            by = Gateway({model.provider: Connection(model.provider, "AIza-fake-key-of-a-test", server.base_url)})
            done = by.complete(embedding_request(model, ["aab", "z"], call().context))
            assert [v[:2] for v in done.vectors] == [(1, 2), (2, 1) if model.provider == "Google" else (1, 0)]
            # litellm counts itself where Google reports nothing, and does not say so.
            assert done.usage.counted == ("estimate" if model.provider == "Google" else "provider")
        assert len(server.seen) == len(known_embedders())
