"""Answers are kept for a time and up to a size; a file that cannot be used is put aside or left alone, and the run goes on."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import answer_file
from playground import answer_store as module
from playground.answer_store import ROW_BYTES, Answers, Held, default_path
from playground.cache import ExactCache
from playground.errors import PlaygroundError
from playground.records import OutputSpec
from playground.watch import Unwatched
from tests.calls import Answering, call

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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "answers.sqlite"


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
    monkeypatch.setattr(answer_file, "BUSY_TIMEOUT_S", 0.05)
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
    monkeypatch.setattr(answer_file, "BUSY_TIMEOUT_S", 0.05)
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
    edit(path, f"PRAGMA user_version = {answer_file.VERSION - 1}")
    put_aside(path, "from an older version of this program. It was moved to")


def test_a_newer_version_is_left_alone(path: Path) -> None:
    filled(path)
    edit(path, f"PRAGMA user_version = {answer_file.VERSION + 1}")
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


USAGE = '{"input_tokens": "many", "output_tokens": 1, "counted": "provider"}'
UNREADABLE = ["{", "[]", "null", '{"text": "x"}', f'{{"text": "x", "finish_reason": "stop", "usage": {USAGE}}}']


@pytest.mark.parametrize("payload", UNREADABLE)
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
