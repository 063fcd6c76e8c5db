"""Comparing by meaning on its page: what stands in its way, what tuning costs and finds, and a live ticket that goes by it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.bill import bills
from playground.embedders import own_embedder, rules_name
from playground.forgotten import DELETIONS
from playground.gateway import Connection, warm
from playground.labelled_texts import Labelled
from playground.ledger import Filter
from playground.local import endpoint_models
from playground.money import Total, usd
from playground.pipeline import load_shipped
from playground.records import Receipt, Ticket
from playground.runtime import CostCaps, EmbeddingRules, Runtime
from playground.ui import state
from playground.ui.state.ledger import ledger
from tests.fake_server import STANDARD, Body, FakeServer, Reply
from tests.pages.test_log_page import metrics, press
from tests.pages.test_pages import said, start, state_trace
from tests.stage_answers import answer

pytestmark = pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning")

GUARDS = "pages/guards.py"
USE = "Use letters \\("
WORDS = ("password", "invoice", "refund", "webhook", "account")
LABELS = tuple(load_shipped("support").labels)
OPENINGS = ("where do I find the", "show me the", "what about my", "tell us of our", "a word on the")


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    with warnings.catch_warnings(action="ignore"):
        warm()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setattr("tests.fake_server._embeddings", meant)
    with FakeServer(answer, lambda body: STANDARD.get(body["model"], Reply())) as found:
        yield found


def meant(body: Body) -> Body:
    """Texts about one thing lie together."""
    rows = [[0.05, *(float(w in text) for w in (*WORDS, "money"))] for text in body["input"]]
    data = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)]
    used = 5 * len(data)
    return {
        "object": "list",
        "model": body["model"],
        "data": data,
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def csv(wrong_every: int = 10_000) -> bytes:
    """500 requests about five things, in words of their own."""
    lines, n = ["text,label"], 0
    for word in WORDS:
        for i in range(100):
            n += 1
            label = LABELS[5] if n % wrong_every == 0 else LABELS[WORDS.index(word)]
            lines.append(f"{OPENINGS[i % 5]} {word} {'abcdefghij'[i // 10]}{'klmnopqrst'[i % 10]}u,{label}")
    return "\n".join(lines).encode()


def live(server: FakeServer | None = None, runtime: Runtime | None = None) -> AppTest:
    app = start(GUARDS)
    book = app.session_state["notebook"]
    if server is not None:
        book.connections[server.base_url] = Connection("Fake", "sk-fake-key-of-a-test", server.base_url)
    book.runtime = runtime or Runtime(semantic_cache=0.8)
    app.session_state["mode"] = "Live"
    return app.run()


def at_own(server: FakeServer, app: AppTest, model: str = "letters", price: float | None = 0.02) -> AppTest:
    app.selectbox(key="meaning_model").set_value("A model at your own address").run()
    app.text_input(key="meaning_name").set_value(model)
    app.number_input(key="meaning_price").set_value(price)
    return app.run()


def brought(app: AppTest, content: bytes | None = None, name: str = "labelled.csv") -> AppTest:
    uploader = next(u for u in app.get("file_uploader") if u.label.startswith("Labelled tickets"))
    return uploader.set_value((name, csv() if content is None else content, "text/csv")).run()


def finished(app: AppTest) -> AppTest:
    ends = time.monotonic() + 60
    while app.session_state["meaning_desk"].work is not None and time.monotonic() < ends:
        time.sleep(0.05)
        app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    more = "\n".join(str(w.value) for w in app.warning).replace("\\", "")
    return (said(app) + "\n" + more).replace("\u2060", "")


def tuned(server: FakeServer, app: AppTest, **how: Any) -> AppTest:
    return finished(press(brought(at_own(server, app, **how)), "Tune"))


def test_a_rehearsal_says_that_it_takes_live() -> None:
    app = start(GUARDS)
    assert not app.exception
    text = texts(app)
    assert "a file of 200 or more tickets" in text
    assert "Choose Live in the sidebar to begin" in text
    assert "Tickets are compared by their letters. No threshold for comparing by meaning has been tuned" in text
    assert not [b for b in app.button if b.label == "Tune"]


def test_without_a_key_the_page_says_which() -> None:
    app = live()
    options = app.selectbox(key="meaning_model").options
    assert any("text-embedding-3-small, OpenAI, $0.0200 a million tokens, no key yet" in o for o in options)
    assert not [o for o in options if "own address" in o]
    assert "There is no key for OpenAI" in texts(app)
    assert not [b for b in app.button if b.label == "Tune"]


def test_those_with_a_key_come_first() -> None:
    app = start(GUARDS)
    app.session_state["notebook"].connections["Google"] = Connection("Google", "AIza-fake-key-of-a-test")
    app.session_state["mode"] = "Live"
    assert app.run().selectbox(key="meaning_model").options[0].startswith("gemini-embedding-001, Google")


def test_what_tuning_costs_is_said_before_it_starts_and_its_find_after(server: FakeServer) -> None:
    app = brought(at_own(server, live(server)))
    text = texts(app)
    assert "500 tickets: 500 different texts, 5 labels" in text
    assert "500 texts will be sent to 127.0.0.1:" in text
    assert "about **$0.00" in text
    assert server.seen == []
    app = finished(press(app, "Tune"))
    found = app.session_state["meaning_desk"].found
    assert found.threshold is not None
    assert (found.requests, found.false_hits) == (250, 0)
    assert found.hits > 200
    shown = metrics(app)
    assert shown["Serve from"] == f"{found.threshold:.2f} alike"
    assert shown["Wrong among them"] == "0 (0.0%)"
    assert f"below {found.false_hit_bound:.1%} with 95% confidence" in texts(app)
    assert "By letters" in shown
    bill = bills(state_trace(app), app.session_state["notebook"].agent.router)["kr-auto"]
    saved = bill.answers_total("intent").known_usd * Decimal(repr(found.hit_share)) * 100_000
    assert f"At 100,000 tickets a month such hits save about {usd(saved)} at Intent under kr-auto" in texts(app)
    assert "About 0 tickets would get a wrong label" in texts(app)
    assert [len(b["input"]) for b in server.seen] == [64] * 7 + [52]
    (whole,) = ledger().spend((), Filter(purposes=("tuning",)))
    assert whole.total.exact_usd == Decimal(5 * 500) * Decimal("0.02") / 1_000_000
    (tickets,) = ledger().spend((), Filter(provenance="live", purposes=("ticket",)))
    assert tickets.attempts == 0


def test_a_threshold_is_put_to_use_and_taken_back(server: FakeServer) -> None:
    app = press(tuned(server, live(server)), USE)
    rules = app.session_state["notebook"].runtime.semantic_embedding
    assert rules is not None
    assert (rules.model, rules.endpoint, rules.usd_per_mtok) == ("openai/letters", server.base_url, Decimal("0.02"))
    assert "Tickets are compared by meaning, not by the slider above" in texts(app)
    assert "This replay compares by letters. Live runs compare by meaning" in texts(app)
    press(app, "Apply")
    assert app.session_state["notebook"].runtime.semantic_embedding == rules
    press(app, "Use letters again")
    assert app.session_state["notebook"].runtime.semantic_embedding is None
    assert "Tickets are compared by their letters" in texts(app)


def test_labels_that_contradict_are_said_with_the_figures_and_letters_stay(server: FakeServer) -> None:
    app = finished(press(brought(at_own(server, live(server)), csv(3)), "Tune"))
    text = texts(app)
    assert "No threshold holds: at the best one" in text
    assert "Live runs go on comparing by letters" in text
    assert not [b for b in app.button if b.label == USE or "in live runs" in b.label]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file has no rows"),
        (b"question,answer\na,b\n", "needs the columns text and label. Found: question, answer"),
        (b"text,label\n" + b"\n".join(b"text %d,other" % i for i in range(300)), "the same label"),
        (
            b"text,label\n" + b"\n".join(b"text %d,%s" % (i, (b"other", b"api_bug")[i % 2]) for i in range(50)),
            "50 different texts, and tuning takes 200",
        ),
        (
            b"text,label\n" + b"\n".join(b"text %d,card" % i for i in range(300)),
            "No label in the file is one that Intent gives",
        ),
        (b"\x00\x81\x8d,label\n\x00\xff\xfe\x9d,a\n" * 9, "needs the columns text and label"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence_and_the_one_before_stays(
    server: FakeServer, content: bytes, says: str
) -> None:
    app = brought(at_own(server, live(server)))
    app = brought(app, content, "second.csv")
    assert not app.exception
    assert says in "\n".join(e.value.replace("\\", "") for e in app.error)
    assert len(app.session_state["meaning_desk"].rows) == 500


def test_rows_with_labels_that_intent_never_gives_are_left_out_and_said(server: FakeServer) -> None:
    app = brought(at_own(server, live(server)), csv() + b"\nhow about a card,card\nwhat of the cards,card")
    assert len(app.session_state["meaning_desk"].rows) == 500
    assert "2 rows with a label that Intent never gives" in texts(app)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("bad-key", "Fake refused the key"),
        ("rate-limited", "is limiting how often"),
        ("garbage", "did not answer with embeddings"),
        ("no-choices", "did not answer with embeddings"),
        ("broken", "had an error of its own"),
    ],
)
def test_a_provider_that_fails_is_a_sentence(server: FakeServer, model: str, says: str) -> None:
    app = tuned(server, live(server), model=model)
    (error,) = (e.value.replace("\\", "") for e in app.error)
    assert says in error
    assert "sk-fake" not in error
    assert app.session_state["meaning_desk"].found is None
    assert [b for b in app.button if b.label == "Tune"]


def test_what_stopped_half_way_goes_on_and_pays_nothing_twice(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def third_fails(body: Body) -> Body:
        asked.append(len(body["input"]))
        return {"object": "nothing"} if len(asked) == 3 else meant(body)

    monkeypatch.setattr("tests.fake_server._embeddings", third_fails)
    app = tuned(server, live(server))
    assert "What was embedded so far is kept" in app.error[0].value.replace("\\", "")
    assert ", of 500; the others were embedded before" in texts(app)
    app = finished(press(app, "Go on tuning"))
    assert app.session_state["meaning_desk"].found.threshold is not None
    assert sum(asked) == 500 + 64
    assert "All 500 texts are embedded, and none is sent again. Tuning costs nothing more." in texts(app)


def test_a_cap_is_said_before_and_holds(server: FakeServer) -> None:
    caps = CostCaps(run_usd=Decimal("0.00004"))
    app = brought(at_own(server, live(server, Runtime(semantic_cache=0.8, cost_caps=caps))))
    assert "tuning will stop at it" in texts(app)
    app = finished(press(app, "Tune"))
    assert "could cross the cap on this run" in app.error[0].value.replace("\\", "")
    (whole,) = ledger().spend((), Filter(purposes=("tuning",)))
    assert whole.total.known_usd <= Decimal("0.00004")
    nothing = live(server, Runtime(semantic_cache=0.8, cost_caps=CostCaps(run_usd=Decimal(0))))
    before = len(server.seen)
    app = tuned(server, nothing)
    assert "zero" in app.error[0].value
    assert len(server.seen) == before


def test_a_model_without_a_price_says_so(server: FakeServer) -> None:
    app = brought(at_own(server, live(server), price=None))
    assert "The model has no price, so what that costs is not known" in texts(app)
    app = finished(press(app, "Tune"))
    assert app.session_state["meaning_desk"].found.threshold is not None
    capped = Runtime(semantic_cache=0.8, cost_caps=CostCaps(run_usd=Decimal(1)))
    app = brought(at_own(server, live(server, capped), price=None))
    assert "no call goes out to a model without a price under it" in texts(app)
    app = finished(press(app, "Tune"))
    assert "has no known price" in app.error[0].value.replace("\\", "")


def test_tuning_can_be_cancelled(server: FakeServer) -> None:
    app = press(brought(at_own(server, live(server), model="hang")), "Tune")
    assert app.session_state["meaning_desk"].work is not None
    press(app, "Cancel")
    assert app.session_state["meaning_desk"].work is None
    assert len(app.session_state["meaning_desk"].rows) == 500
    assert not app.exception


def test_tuning_that_nobody_watches_stops_and_says_so(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.background.ABANDONED_AFTER_S", -1.0)
    app = tuned(server, live(server))
    assert "Tuning stopped, as its page was left" in app.error[0].value.replace("\\", "")


def test_tickets_are_dropped_when_a_customer_is_deleted(server: FakeServer) -> None:
    app = tuned(server, live(server))
    DELETIONS.note("somebody")
    app.run()
    assert app.session_state["meaning_desk"].rows == ()
    assert "may hold words of a customer who was deleted" in texts(app)


def test_forgetting_the_file_keeps_what_is_in_use(server: FakeServer) -> None:
    app = press(tuned(server, live(server)), USE)
    press(app, "Forget these tickets")
    assert app.session_state["meaning_desk"].rows == ()
    assert app.session_state["notebook"].runtime.semantic_embedding is not None


def test_a_set_threshold_that_is_not_in_force_says_why() -> None:
    rules = EmbeddingRules("text-embedding-3-small", 0.9, 1_000, 200, 1)
    app = live(runtime=Runtime(semantic_cache=0.8, semantic_embedding=rules))
    assert "Set, and not in force now. There is no key or connection for OpenAI" in texts(app)
    assert "Tickets are compared by their letters. There is no key or connection for OpenAI" in texts(app)
    app.session_state["mode"] = "Rehearsal"
    assert "Only live runs compare by meaning" in texts(app.run())
    app.session_state["notebook"].runtime = Runtime(semantic_embedding=rules)
    assert "the semantic cache is off" in texts(app.run())
    assert not app.exception


# A live ticket


def own_models(app: AppTest, server: FakeServer) -> None:
    book = app.session_state["notebook"]
    (model,) = endpoint_models(server.base_url, ["chat"], Decimal(1), Decimal(10), "Fake")
    book.catalog = book.catalog.with_model(model)
    book.pins = {s.key: model.name for s in book.pipeline.stages}


def run_ticket(app: AppTest, ticket: Ticket) -> AppTest:
    app.session_state["notebook"].ticket = ticket
    press(app, "Run ticket")
    ends = time.monotonic() + 60
    while app.session_state["notebook"].run.state == "running" and time.monotonic() < ends:
        time.sleep(0.05)
    return app.run()


def test_a_live_ticket_is_embedded_billed_and_answered_by_an_earlier_one(server: FakeServer) -> None:
    embedder = own_embedder("letters", server.base_url, Decimal("0.02"))
    rules = EmbeddingRules(
        rules_name(embedder), 0.9, 1_000, 200, 1, endpoint=server.base_url, usd_per_mtok=Decimal("0.02")
    )
    app = live(server, Runtime(semantic_cache=0.8, semantic_embedding=rules))
    own_models(app, server)
    run_ticket(app.run(), Ticket("t1", "I want my refund for the lost parcel", customer_id="acme"))
    before = receipts(app)
    run_ticket(app, Ticket("t2", "What about the refund for our missing parcel", customer_id="acme"))
    after = receipts(app)
    assert not app.exception
    for found, source in ((before, "model"), (after, "semantic cache")):
        embedded, answered = (r for r in found if r.stage == "intent")
        assert (embedded.embedded, embedded.model, embedded.usage.input_tokens) == (True, embedder.name, 5)
        assert embedded.cost_usd == Decimal("0.0000001")
        assert (answered.source, answered.outcome) == (source, "ok")
    billed = Total.of(r.cost_usd for r in (*before, *after))
    (kept,) = ledger().spend((), Filter(provenance="live", purposes=("ticket",)))
    assert kept.total == billed
    chats = [b for b in server.seen if "messages" in b]
    assert len(chats) == sum(r.source == "model" and not r.embedded for r in (*before, *after))
    assert [b["input"] for b in server.seen if "input" in b] == [
        ["I want my refund for the lost parcel"],
        ["What about the refund for our missing parcel"],
    ]
    assert "was asked what the ticket means, for the semantic cache: under $0.000001" in texts(app)
    assert metrics(app)["Failed attempts"] == "0"
    assert metrics(app)["Answered by an equivalent"] == "0"
    assert metrics(app)["Answered from the cache"] == "1"
    for page in ("pages/notebook.py", "pages/bill.py", "pages/ledger.py", "pages/report.py", "pages/month.py"):
        app.switch_page(page).run()
        assert not app.exception, page
    assert "Intent by meaning as tuned, 20.0% of tickets), less under $0.000001 to embed each ticket" in texts(app)


def receipts(app: AppTest) -> tuple[Receipt, ...]:
    return tuple(r for s in app.session_state["notebook"].steps.values() for r in s.receipts)


@pytest.mark.parametrize("model", ["bad-key", "garbage", "no-choices", "rate-limited", "drop"])
def test_a_live_ticket_is_answered_where_the_embedding_fails(server: FakeServer, model: str) -> None:
    rules = EmbeddingRules(model, 0.9, 1_000, 200, 1, endpoint=server.base_url)
    app = live(server, Runtime(semantic_cache=0.8, semantic_embedding=rules))
    own_models(app, server)
    run_ticket(app.run(), Ticket("t1", "I want my refund for the lost parcel", customer_id="acme"))
    assert not app.exception
    steps = app.session_state["notebook"].steps
    assert [s.state for s in steps.values()] == ["done"] * 6
    failed, answered = steps["intent"].receipts
    assert (failed.embedded, failed.outcome, answered.outcome) == (True, "failed", "ok")
    assert "The semantic cache rests for a minute" in texts(app)
    assert metrics(app)["Failed attempts"] == "0"


def test_labelled_is_what_the_page_says() -> None:
    assert state.rows_said([Labelled("a", "x"), Labelled("a", "y"), Labelled("b", "x")]) == (2, 2)
