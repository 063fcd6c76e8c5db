"""A call that was made before costs nothing; a file that cannot be used is put aside or left alone, and the run goes on."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import answer_store as module
from playground.answer_store import ROW_BYTES, Answers, Held, default_path
from playground.cache import ExactCache, by_customer, call_key, one_tenant
from playground.errors import CallFailed, Cancelled, PlaygroundError
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.records import Candidate, Completion, OutputSpec, Request, Try, Usage
from playground.watch import Unwatched, Watch
from playground.workshop import make_agent, make_router
from tests.calls import MODEL, USED, Answering, call
from tests.scripted import TICKET, Scripted, make

ROOT = Path(__file__).resolve().parents[1]
QUIET = Unwatched()
PUT_MANY = """
import sys
from pathlib import Path
from playground.answer_store import Answers
answers = Answers(Path(sys.argv[1]))
for n in range(100):
    assert answers.put(f"shared-{n}", "t", "x") and answers.put(f"{sys.argv[2]}-{n}", "t", "x"), answers.problem
    assert answers.get(f"shared-{n}", "t") == "x"
answers.close()
"""


@dataclass
class Clock:
    """A clock that a test sets."""

    at: float = 1_000_000.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.at


@dataclass
class Hearing(Unwatched):
    """Keeps what it is told."""

    heard: list[str] = field(default_factory=list)

    def text(self, request: Request, chunk: str) -> None:
        """Keep a piece."""
        self.heard.append(chunk)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "answers.sqlite"


@pytest.fixture
def answers() -> Iterator[Answers]:
    with closing(Answers(None)) as opened:
        yield opened


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def filled(path: Path) -> None:
    with closing(Answers(path)) as answers:
        assert answers.put("key", "acme", "payload")


def cached(answers: Answers) -> ExactCache:
    return ExactCache(answers, "live")


# The cache


def test_the_second_call_is_answered_with_what_the_first_got_and_costs_nothing(answers: Answers) -> None:
    cache, model, watch = cached(answers), Answering(), Hearing()
    first = cache.call(call(), watch, model)
    second = cache.call(call(), watch, model)
    assert model.calls == 1
    assert first == Completion('{"label": "card"}', USED, "live", 0.5, 0.1)
    assert second.latency_s is not None
    assert 0 < second.latency_s < 0.5
    assert second == replace(
        first,
        usage=Usage(0, 0, counted="provider"),
        latency_s=second.latency_s,
        first_token_s=second.latency_s,
        source="exact cache",
        saved=USED,
    )
    assert watch.heard == ['{"label": "card"}']


def test_the_receipts_of_a_cached_run_say_what_was_saved(answers: Answers) -> None:
    model = Scripted()
    agent = replace(make(model), middleware=(cached(answers),))
    first, second = (run_all(agent, TICKET, "kr-auto") for _ in range(2))
    assert len(model.requests) == len(first.receipts) == len(second.receipts) == 8
    assert [s.output for s in second.steps] == [s.output for s in first.steps]
    for paid, free in zip(first.receipts, second.receipts, strict=True):
        assert (paid.source, paid.saved, paid.saved_usd) == ("model", None, None)
        assert (free.source, free.cost_usd, free.provenance) == ("exact cache", Decimal(0), "live")
        assert (free.saved, free.saved_usd) == (paid.usage, paid.cost_usd)
        assert free.saved_usd


def test_a_rehearsal_fills_and_uses_a_cache_of_its_own(answers: Answers) -> None:
    agent = make_agent(make_router(load_shipped("support")))
    agent = replace(agent, middleware=(ExactCache(answers, "rehearsal"),))
    first, second = (run_all(agent, TICKET, "kr-auto") for _ in range(2))
    assert {r.source for r in first.receipts if r.outcome == "ok"} == {"model"}
    assert {r.source for r in second.receipts if r.outcome == "ok"} == {"exact cache"}
    assert [s.output for s in second.steps] == [s.output for s in first.steps]
    live = Answering()
    assert cached(answers).call(call(), QUIET, live).provenance == "live"
    assert live.calls == 1


def test_a_rehearsed_answer_is_never_served_to_a_live_run(answers: Answers) -> None:
    rehearsed, live = Answering(provenance="rehearsal"), Answering()
    ExactCache(answers, "rehearsal").call(call(), QUIET, rehearsed)
    assert cached(answers).call(call(), QUIET, live).source == "model"
    # An answer of another provenance than the run's is not kept at all.
    cached(answers).call(call("Another."), QUIET, rehearsed)
    assert cached(answers).call(call("Another."), QUIET, live).source == "model"


OTHER_CALLS: dict[str, Callable[[Request], Request]] = {
    "model": lambda r: replace(r, candidate=Candidate(replace(MODEL, id="openai/other"))),
    "provider": lambda r: replace(r, candidate=Candidate(replace(MODEL, provider="Other"))),
    "endpoint": lambda r: replace(r, candidate=Candidate(replace(MODEL, endpoint="http://127.0.0.1:1"))),
    "effort": lambda r: replace(r, candidate=Candidate(MODEL, "high")),
    "words": lambda r: replace(r, prompt=call("Where is my card").prompt),
    "system message": lambda r: replace(r, prompt=call(system="Sort it well.").prompt),
    "roles": lambda r: replace(r, prompt=replace(r.prompt, messages=r.prompt.messages[::-1])),
    "schema": lambda r: replace(r, output=replace(r.output, schema={"type": "object"})),
    "kind of output": lambda r: replace(r, output=OutputSpec("text")),
    "most tokens": lambda r: replace(r, max_output_tokens=201),
    "stage": lambda r: replace(r, prompt=replace(r.prompt, stage="check")),
    "tenant": lambda r: replace(r, context=replace(r.context, ticket=replace(r.context.ticket, customer_id="other"))),
}


@pytest.mark.parametrize("change", OTHER_CALLS)
def test_another_call_is_a_miss(answers: Answers, change: str) -> None:
    cache, model = cached(answers), Answering()
    cache.call(call(), QUIET, model)
    assert cache.call(OTHER_CALLS[change](call()), QUIET, model).source == "model"


def test_what_cannot_change_an_answer_is_no_part_of_the_key() -> None:
    other = replace(call(), timeout_s=1.0, quality=0.5, context=replace(call().context, ticket=call().context.ticket))
    assert call_key(other, "live", "acme") == call_key(call(), "live", "acme")
    assert call_key(other, "rehearsal", "acme") != call_key(call(), "rehearsal", "acme")
    assert call_key(call(), "live", "acme") != call_key(call(), "recorded", "acme")


@pytest.mark.parametrize(
    "model",
    [
        Answering('{"label": "unheard of"}'),
        Answering('{"label": "ca'),
        Answering("", finish_reason="stop"),
        Answering(finish_reason="length"),
        Answering(finish_reason="content_filter"),
        Answering(candidate=Candidate(replace(MODEL, id="openai/equivalent")), rule="an equivalent"),
        Answering(source="semantic cache"),
    ],
    ids=["unknown label", "cut JSON", "empty", "cut", "filtered", "another model's", "cached elsewhere"],
)
def test_an_answer_that_may_not_be_served_again_is_not_kept(answers: Answers, model: Answering) -> None:
    cache = cached(answers)
    for _ in range(2):
        cache.call(call(), QUIET, model)
    assert (model.calls, answers.held()) == (2, Held(0, 0))


def test_a_failed_call_is_not_kept_and_keeps_its_tries(answers: Answers) -> None:
    failure = CallFailed("server", "It fell over.", tries=(Try(Candidate(MODEL), "server", "It fell over."),))
    for error in (failure, Cancelled()):
        with pytest.raises(type(error)) as raised:
            cached(answers).call(call(), QUIET, Answering(error))
        assert raised.value is error
    assert cached(answers).call(call(), QUIET, Answering()).source == "model"


def test_what_was_kept_is_checked_again_when_it_is_served(answers: Answers) -> None:
    cache, model = cached(answers), Answering()
    cache.call(call(), QUIET, model)
    changed = replace(call(), context=replace(call().context, labels={"money": ""}))
    assert cache.call(changed, QUIET, model).source == "model"
    assert cache.call(call(), QUIET, model).source == "exact cache"


def test_tenants_may_be_customers_or_one(answers: Answers) -> None:
    model, shared = Answering(), ExactCache(answers, "live", one_tenant("us"))
    assert by_customer(call(customer=None).context.ticket) == ""
    sources = [shared.call(call(customer=c), QUIET, model).source for c in ("a", "b", None)]
    assert sources == ["model", "exact cache", "exact cache"]
    assert answers.forget("us") == 1
    assert shared.call(call(), QUIET, model).source == "model"


TEXTS = st.sampled_from(["one", "two", "three"]) | st.text(min_size=1, max_size=5)


@given(st.lists(st.tuples(TEXTS, st.sampled_from(["a", "b", "\ud800", None]), st.text(max_size=3)), max_size=30))
@settings(deadline=None, max_examples=60)
def test_a_hit_is_what_was_stored_for_this_tenant_and_text(asked: list[tuple[str, str | None, str]]) -> None:
    """The model writes something new each time, so a hit across tenants or texts would show."""
    plain: dict[tuple[str, str | None], str] = {}
    with closing(Answers(None)) as answers:
        cache = cached(answers)
        for n, (text, customer, said) in enumerate(asked):
            new = f"{n} {said}"
            done = cache.call(call(text, customer, output=OutputSpec("text")), QUIET, Answering(new))
            assert (done.source == "exact cache") == ((text, customer) in plain)
            assert done.text == plain.setdefault((text, customer), new)
        assert (answers.held().answers, answers.problem) == (len(plain), "")


# Equal calls at the same time


@dataclass
class Slow:
    """Answers when it is let go; `started` is set when the first call is under way."""

    outcomes: list[str | Exception]
    started: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    calls: int = 0

    def __call__(self, request: Request, watch: Watch) -> Completion:
        """Answer one call."""
        outcome = self.outcomes[self.calls]
        self.calls += 1
        self.started.set()
        assert self.go.wait(10)
        return Answering(outcome)(request, watch)


def at_the_same_time(cache: ExactCache, model: Slow, watches: list[Watch], request: Request) -> list[Any]:
    """What comes of one call and of those that come while it is under way."""
    with ThreadPoolExecutor(len(watches)) as pool:
        running = [pool.submit(cache.call, request, watches[0], model)]
        assert model.started.wait(10)
        running += [pool.submit(cache.call, request, watch, model) for watch in watches[1:]]
        threading.Timer(0.2, model.go.set).start()
        return [r.exception() or r.result() for r in running]


def test_of_equal_calls_at_the_same_time_one_goes_out(answers: Answers) -> None:
    model = Slow(['{"label": "card"}'])
    done = at_the_same_time(cached(answers), model, [QUIET] * 6, call())
    assert [d.source for d in done] == ["model"] + ["exact cache"] * 5
    assert {d.text for d in done} == {'{"label": "card"}'}
    assert [d.saved for d in done[1:]] == [USED] * 5
    assert all(d.latency_s > 0.1 for d in done[1:])


@pytest.mark.parametrize("first", [CallFailed("server", "It fell over."), Cancelled(), '{"label": "?"}'], ids=repr)
def test_where_the_first_brings_nothing_the_others_go_out_themselves(answers: Answers, first: str | Exception) -> None:
    model = Slow([first, '{"label": "card"}', '{"label": "card"}'])
    done = at_the_same_time(cached(answers), model, [QUIET] * 3, call())
    assert done[0] is first or done[0].text == first
    assert [d.source for d in done[1:]] == ["model", "model"]
    assert cached(answers).call(call(), QUIET, model).source == "exact cache"


def test_one_who_waits_may_leave_and_waits_no_longer_than_a_call_may_take(answers: Answers) -> None:
    class Leaving(Unwatched):
        def cancelled(self) -> bool:
            return True

    model = Slow(['{"label": "card"}'])
    done = at_the_same_time(cached(answers), model, [QUIET, Leaving()], call())
    assert isinstance(done[1], Cancelled)
    model = Slow(['{"label": "card"}'] * 2)
    hasty = replace(call("Another."), timeout_s=0.01)
    done = at_the_same_time(cached(answers), model, [QUIET] * 2, hasty)
    assert [d.source for d in done] == ["model", "model"]


def test_calls_of_many_threads_are_each_made_once(answers: Answers) -> None:
    cache, model = cached(answers), Answering()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: cache.call(call(f"Ticket {n % 25}"), QUIET, model), range(400)))
    assert sum(d.source == "model" for d in done) == answers.held().answers == 25


# Time and size


@pytest.mark.parametrize(
    ("later_s", "found"), [(0, True), (59.9, True), (60, False), (1e9, False), (-0.001, False), (-1e9, False)]
)
def test_an_answer_is_found_until_its_time_is_up_and_never_from_the_future(later_s: float, found: bool) -> None:
    clock = Clock()
    with closing(Answers(None, ttl_s=60, now=clock)) as answers:
        answers.put("key", "acme", "payload")
        clock.at += later_s
        assert (answers.get("key", "acme") == "payload") is found


def test_an_answer_from_the_future_makes_way_and_does_not_come_back() -> None:
    clock = Clock()
    with closing(Answers(None, ttl_s=60, now=clock)) as answers:
        clock.at += 1000
        answers.put("future", "acme", "payload")
        clock.at -= 1000
        answers.put("key", "acme", "payload")
        assert answers.held().answers == 1
        clock.at += 1001
        assert answers.get("future", "acme") is None


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -float("inf"), 0.0, -5.0])
def test_whatever_a_clock_says_is_no_error(at: float) -> None:
    clock = Clock(at)
    with closing(Answers(None, ttl_s=60, now=clock)) as answers:
        cache, model = cached(answers), Answering()
        for _ in range(2):
            assert cache.call(call(), QUIET, model).text == '{"label": "card"}'


def test_expired_answers_are_deleted_on_opening_and_on_keeping(path: Path) -> None:
    clock = Clock()
    with closing(Answers(path, ttl_s=60, now=clock)) as answers:
        answers.put("one", "acme", "an expired secret")
        clock.at += 61
        answers.put("two", "acme", "payload")
        assert answers.held().answers == 1
        clock.at += 61
    with closing(Answers(path, ttl_s=60, now=clock)) as answers:
        assert answers.held() == Held(0, 0)
    assert b"secret" not in path.read_bytes()


@pytest.mark.parametrize("ttl_s", [0, -1, float("nan")])
def test_no_time_keeps_nothing_and_says_so(path: Path, ttl_s: float) -> None:
    answers = Answers(path, ttl_s=ttl_s)
    assert (
        answers.problem
        == f"The cache keeps nothing: its answers are kept for {ttl_s:g} seconds. Give a larger one, or switch the cache off."
    )
    assert not path.exists()
    assert cached(answers).call(call(), QUIET, Answering()).source == "model"


@pytest.mark.parametrize("most", [0, -1])
def test_no_size_keeps_nothing_and_says_so(most: int) -> None:
    assert f"size is {most} bytes" in Answers(None, most_bytes=most).problem


def test_the_one_that_was_not_used_for_longest_gives_way() -> None:
    each = ROW_BYTES + len("keyXtpayload")
    with closing(Answers(None, most_bytes=3 * each)) as answers:
        for name in "abc":
            assert answers.put(f"key{name}", "t", "payload")
        answers.get("keya", "t")
        assert answers.put("keyd", "t", "payload")
        assert [name for name in "abcd" if answers.get(f"key{name}", "t")] == ["a", "c", "d"]
        assert answers.held() == Held(3, 3 * each)
        assert not answers.put("keye", "t", "x" * 3 * each)
        assert answers.held().answers == 3


def test_a_smaller_bound_makes_room_on_opening(path: Path) -> None:
    with closing(Answers(path)) as answers:
        for n in range(10):
            answers.put(f"key{n}", "t", "payload")
        each = answers.held().bytes // 10
    with closing(Answers(path, most_bytes=2 * each)) as answers:
        assert [n for n in range(10) if answers.get(f"key{n}", "t")] == [8, 9]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 400)), max_size=60), st.integers(1, 1500))
@settings(deadline=None, max_examples=60)
def test_the_size_is_never_above_its_bound(puts: list[tuple[str, int]], most: int) -> None:
    with closing(Answers(None, most_bytes=most)) as answers:
        for key, size in puts:
            fits = ROW_BYTES + 2 + size <= most
            assert answers.put(key, "t", "x" * size) is fits
            assert answers.held().bytes <= most
            assert not fits or answers.get(key, "t") == "x" * size


def test_the_file_does_not_outgrow_its_bound_by_much(path: Path) -> None:
    with closing(Answers(path, most_bytes=1_000_000)) as answers:
        for n in range(3000):
            answers.put(str(n), "t", "x" * (n % 1500))
    assert path.stat().st_size < 1_600_000


# The file


def test_what_is_kept_outlives_the_process(path: Path) -> None:
    filled(path)
    with closing(Answers(path)) as answers:
        assert answers.get("key", "acme") == "payload"
        assert answers.get("key", "other") is None


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_only_the_owner_may_read_it(path: Path) -> None:
    with closing(Answers(path)) as answers:
        answers.put("key", "acme", "payload")
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    assert modes == dict.fromkeys(("answers.sqlite", "answers.sqlite-wal", "answers.sqlite-shm"), 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_forgotten_tenant_is_gone_from_the_disk(path: Path) -> None:
    with closing(Answers(path)) as answers:
        for n in range(50):
            answers.put(f"a{n}", "acme", "the secret of acme")
            answers.put(f"b{n}", "other", "payload")
        assert answers.forget("acme") == 50
        assert answers.get("a1", "acme") is None
        assert answers.get("b1", "other") == "payload"
        assert not any(b"secret" in p.read_bytes() for p in path.parent.iterdir())
        assert (answers.clear(), answers.held()) == (50, Held(0, 0))
    with pytest.raises(PlaygroundError, match="closed"):
        answers.forget("acme")


def test_what_cannot_be_deleted_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.05)
    with closing(Answers(path)) as answers, closing(sqlite3.connect(path, isolation_level=None)) as other:
        answers.put("key", "acme", "payload")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(PlaygroundError, match="Nothing was deleted. Another program holds"):
            answers.forget("acme")


def test_processes_may_create_and_fill_one_file(path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", PUT_MANY, path, name], cwd=ROOT, stderr=subprocess.PIPE)
        for name in ("x", "y", "z")
    ]
    assert [(p.communicate(timeout=60)[1], p.returncode) for p in running] == [(b"", 0)] * 3
    with closing(Answers(path)) as answers:
        assert answers.held().answers == 400


def test_one_that_another_process_holds_for_now_is_used_again_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.05)
    with closing(Answers(path)) as answers, closing(sqlite3.connect(path, isolation_level=None)) as other:
        cache, model = cached(answers), Answering()
        cache.call(call(), QUIET, model)
        other.execute("BEGIN IMMEDIATE")
        assert cache.call(call(), QUIET, model).source == "exact cache"
        assert cache.call(call("Another."), QUIET, model).source == "model"
        assert Answers(path).problem.startswith("Another program holds the cache")
        other.execute("ROLLBACK")
        assert cache.call(call("Another."), QUIET, model).source == "model"
        assert cache.call(call("Another."), QUIET, model).source == "exact cache"
        assert not answers.problem


def refused(path: Path, says: str) -> None:
    """A file that is left as it is, said, and worked without."""
    before = path.read_bytes()
    works_without(Answers(path), says)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.aside-*"))


def put_aside(path: Path, says: str) -> None:
    """A file that is moved away whole, said, and worked without; the next run has a new one."""
    before = path.read_bytes()
    works_without(Answers(path), says)
    (aside,) = path.parent.glob("*.aside-1")
    assert aside.read_bytes() == before
    assert not path.exists()
    with closing(Answers(path)) as again:
        assert not again.problem
        assert again.put("key", "acme", "payload")


def works_without(answers: Answers, says: str) -> None:
    assert says in answers.problem
    assert "this run goes on without" in answers.problem
    assert answers.problem.endswith(".")
    cache, model = cached(answers), Answering()
    for _ in range(2):
        assert cache.call(call(), QUIET, model).source == "model"
    assert cache.problem == answers.problem
    assert (answers.get("key", "acme"), answers.put("key", "acme", "x"), answers.held()) == (None, False, Held(0, 0))
    with pytest.raises(PlaygroundError, match="cache"):
        answers.forget("acme")
    answers.close()


@pytest.mark.parametrize("content", [b"not a database, but long enough to have a header" * 100, b"short"])
def test_a_file_that_is_no_database_is_put_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    put_aside(path, "was damaged. It was moved to")


def test_damage_inside_the_file_is_found_on_opening(path: Path) -> None:
    with closing(Answers(path)) as answers:
        for n in range(500):
            answers.put(str(n), "acme", "x" * 50)
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * len(content[8192:-4096])
    path.write_bytes(content)
    put_aside(path, "was damaged")


def test_missing_tables_are_damage(path: Path) -> None:
    filled(path)
    edit(path, "DROP TABLE held")
    put_aside(path, "was damaged")


def test_an_older_version_is_put_aside(path: Path) -> None:
    filled(path)
    edit(path, f"PRAGMA user_version = {module.VERSION - 1}")
    put_aside(path, "from an older version of this program. It was moved to")


def test_a_newer_version_is_left_alone(path: Path) -> None:
    filled(path)
    edit(path, f"PRAGMA user_version = {module.VERSION + 1}")
    refused(path, "written by a newer version of this program, so it is left alone")


@pytest.mark.parametrize(
    "statements",
    [("CREATE TABLE other (a)",), ("CREATE TABLE answer (a)", "PRAGMA user_version = 1"), ("PRAGMA user_version = 7",)],
)
def test_the_file_of_another_program_is_left_alone(path: Path, statements: tuple[str, ...]) -> None:
    path.parent.mkdir()
    edit(path, *statements)
    refused(path, "is not a cache")


def test_damage_that_is_met_on_the_way_ends_the_cache_and_not_the_run(path: Path) -> None:
    with closing(Answers(path)) as answers:
        cache, model = cached(answers), Answering()
        cache.call(call(), QUIET, model)
        edit(path, "DROP TABLE answer")
        assert cache.call(call(), QUIET, model).source == "model"
        assert "could not be used (SQLITE_ERROR), so this run goes on without it" in answers.problem
        assert cache.call(call(), QUIET, model).source == "model"


@pytest.mark.parametrize("payload", ["{", "[]", "null", '{"text": "x"}', '{"text": "x", "finish_reason": "stop", "usage": {"input_tokens": "many", "output_tokens": 1, "counted": "provider"}}'])  # fmt: skip
def test_a_payload_that_cannot_be_read_is_a_miss_and_is_replaced(path: Path, payload: str) -> None:
    with closing(Answers(path)) as answers:
        cache, model = cached(answers), Answering()
        cache.call(call(), QUIET, model)
        edit(path, f"UPDATE answer SET payload = '{payload}'")
        assert cache.call(call(), QUIET, model).source == "model"
        assert cache.call(call(), QUIET, model).source == "exact cache"


def test_a_file_that_sqlite_may_only_read_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda name, **how: connect(f"{Path(name).as_uri()}?mode=ro", uri=True, **how)
    )
    refused(path, "cannot be written")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everything")
def test_a_file_without_write_permission_is_left_alone(path: Path) -> None:
    filled(path)
    path.chmod(0o400)
    refused(path, "cannot be written")


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    works_without(Answers(tmp_path / "file" / "answers.sqlite"), "cannot be written")


def test_a_damaged_file_that_cannot_be_moved_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> Path:
        raise OSError

    path.parent.mkdir()
    path.write_bytes(b"short")
    monkeypatch.setattr(module, "rename_aside", fail)
    refused(path, "cannot be moved away")


def test_a_full_disk_ends_the_cache_and_keeps_what_was_kept(path: Path) -> None:
    with closing(Answers(path)) as answers:
        cache, model = cached(answers), Answering("x" * 100_000)
        request = call(output=OutputSpec("text"))
        assert answers.put("key", "acme", "payload")
        assert answers._connection is not None
        answers._connection.execute("PRAGMA max_page_count = 1")
        assert cache.call(request, QUIET, model).text == "x" * 100_000
        assert answers.problem.startswith("The disk is full, so this run goes on without the cache")
        assert cache.call(request, QUIET, model).source == "model"
    with closing(Answers(path)) as answers:
        assert answers.get("key", "acme") == "payload"


def test_a_disk_that_is_full_from_the_start_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "create_private", fail)
    works_without(Answers(path), "The disk is full")


def test_the_default_place_is_beside_the_store_of_finished_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKET_PLAYGROUND_HOME", "/own")
    assert default_path() == Path("/own/answers.sqlite")
