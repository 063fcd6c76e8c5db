"""Finished units stay, once each, whoever adds them; a store that cannot be used is a sentence and is left as it is."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from playground import jobs as module
from playground.jobs import Jobs, StoreError, default_path, set_aside

ROOT = Path(__file__).resolve().parents[1]
ADD_MANY = """
import sys
from pathlib import Path
from playground.jobs import Jobs
jobs = Jobs(Path(sys.argv[1]))
for n in range(100):
    jobs.add("job", f"shared-{n}", {"by": sys.argv[2]})
    jobs.add("job", f"{sys.argv[2]}-{n}", {})
jobs.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "jobs.sqlite"


@pytest.fixture(params=["file", "memory"])
def jobs(request: pytest.FixtureRequest, path: Path) -> Iterator[Jobs]:
    with closing(Jobs(path if request.param == "file" else None)) as opened:
        yield opened


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def refused(path: Path) -> StoreError:
    """The error on opening a file, which must leave the file as it is."""
    before = path.read_bytes()
    with pytest.raises(StoreError, match="TICKET_PLAYGROUND_HOME|Set it aside") as error:
        Jobs(path)
    assert path.read_bytes() == before
    assert str(path) in str(error.value)
    return error.value


def test_the_first_payload_of_a_unit_stays(jobs: Jobs) -> None:
    assert jobs.add("job", "b", {"cost_usd": "0.10", "tokens": [1, 2], "model": "é\ud800"})
    assert not jobs.add("job", "b", {"cost_usd": "9"})
    assert jobs.add("job", "a", {})
    assert jobs.add("other", "b", {})
    assert list(jobs.done("job").items()) == [
        ("b", {"cost_usd": "0.10", "tokens": [1, 2], "model": "é\ud800"}),
        ("a", {}),
    ]
    assert jobs.done("none") == {}


def test_what_a_job_is_stays_as_first_noted(jobs: Jobs) -> None:
    assert jobs.about("job") is None
    jobs.start("job", {"tickets": 10})
    jobs.start("job", {"tickets": 11})
    assert jobs.about("job") == {"tickets": 10}


def test_forgetting_a_job_forgets_its_parts_and_nothing_else(jobs: Jobs) -> None:
    for job in ("job", "job/partial", "job2", "%"):
        jobs.start(job, {})
        jobs.add(job, "a", {})
    jobs.forget("%")
    jobs.forget("job")
    assert [job for job in ("job", "job/partial", "job2", "%") if jobs.done(job)] == ["job2"]
    assert [job for job in ("job", "job/partial", "job2", "%") if jobs.about(job) is not None] == ["job2"]


def test_a_unit_is_in_the_file_when_add_returns(path: Path) -> None:
    with closing(Jobs(path)) as one, closing(Jobs(path)) as two:
        one.add("job", "a", {"n": 1})
        assert two.done("job") == {"a": {"n": 1}}
    with closing(Jobs(path)) as again:
        assert again.done("job") == {"a": {"n": 1}}


def test_threads_that_add_the_same_units_agree_on_the_first(jobs: Jobs) -> None:
    together = Barrier(4, timeout=10)

    def add_all(me: int) -> list[int]:
        together.wait()
        return [n for n in range(100) if jobs.add("job", str(n), {"by": me})]

    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(add_all, range(4)))
    assert sorted(n for mine in kept for n in mine) == list(range(100))
    by = {int(n): payload["by"] for n, payload in jobs.done("job").items()}
    assert by == {n: me for me, mine in enumerate(kept) for n in mine}


def test_processes_may_create_and_fill_one_file(path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", ADD_MANY, path, name], cwd=ROOT, stderr=subprocess.PIPE)
        for name in ("x", "y", "z")
    ]
    assert [(p.communicate(timeout=60)[1], p.returncode) for p in running] == [(b"", 0)] * 3
    with closing(Jobs(path)) as jobs:
        expected = {f"{name}-{n}" for name in ("shared", "x", "y", "z") for n in range(100)}
        assert set(jobs.done("job")) == expected


def test_several_may_create_one_file_at_the_same_time(tmp_path: Path) -> None:
    together = Barrier(8, timeout=10)

    def open_one(path: Path) -> None:
        together.wait()
        Jobs(path).close()

    with ThreadPoolExecutor(8) as pool:
        for n in range(10):
            list(pool.map(open_one, [tmp_path / f"{n}.sqlite"] * 8))


def test_a_closed_or_unencodable_use_is_an_error() -> None:
    jobs = Jobs(None)
    with pytest.raises(ValueError, match="JSON"):
        jobs.add("job", "a", {"score": float("nan")})
    jobs.close()
    with pytest.raises(StoreError, match="could not be used"):
        jobs.done("job")


@pytest.mark.parametrize("content", [b"not a database, but long enough to have a header" * 100, b"short"])
def test_a_corrupt_file_is_left_alone_until_it_is_set_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert refused(path).damaged
    moved = set_aside(path)
    assert moved.read_bytes() == content
    with closing(Jobs(path)) as jobs:
        assert jobs.add("job", "a", {})
    assert set_aside(path) != moved
    assert moved.read_bytes() == content


def test_damage_inside_the_file_is_found_on_opening(path: Path) -> None:
    with closing(Jobs(path)) as jobs:
        for n in range(500):
            jobs.add("job", str(n), {"filler": "x" * 50})
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * len(content[8192:-4096])
    path.write_bytes(content)
    assert refused(path).damaged


def test_a_payload_that_is_not_json_is_damage(path: Path) -> None:
    with closing(Jobs(path)) as jobs:
        jobs.add("job", "a", {})
        edit(path, "UPDATE unit SET payload = '{'")
        with pytest.raises(StoreError, match="damaged") as error:
            jobs.done("job")
    assert error.value.damaged


def test_what_a_killed_process_left_beside_the_file_moves_with_it(path: Path) -> None:
    with closing(Jobs(path)) as jobs:
        jobs.add("job", "a", {})
        moved = set_aside(path)
        assert not list(path.parent.glob("jobs.sqlite-*"))
        assert not path.exists()
        with closing(Jobs(moved)) as old:
            assert old.done("job") == {"a": {}}


def test_a_newer_store_is_not_touched(path: Path) -> None:
    Jobs(path).close()
    edit(path, f"PRAGMA user_version = {module.VERSION + 1}")
    error = refused(path)
    assert "newer version" in str(error)
    assert not error.damaged


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE other (a)",),
        ("CREATE TABLE other (a)", "PRAGMA user_version = 1"),
        ("CREATE TABLE other (a)", "PRAGMA user_version = 7"),
        ("PRAGMA user_version = 7",),
    ],
)
def test_the_file_of_another_program_is_not_touched(path: Path, statements: tuple[str, ...]) -> None:
    path.parent.mkdir()
    edit(path, *statements)
    error = refused(path)
    assert "is not a store" in str(error)
    assert not error.damaged


def test_a_store_that_sqlite_may_only_read_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Jobs(path).close()
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda name, **how: connect(f"{Path(name).as_uri()}?mode=ro", uri=True, **how)
    )
    assert "cannot be written" in str(refused(path))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everything")
def test_a_file_without_write_permission_is_refused(path: Path) -> None:
    Jobs(path).close()
    path.chmod(0o400)
    assert "cannot be written" in str(refused(path))


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        Jobs(tmp_path / "file" / "jobs.sqlite")


def test_a_full_disk_is_a_sentence_and_keeps_what_was_kept(path: Path) -> None:
    with closing(Jobs(path)) as jobs:
        assert jobs.add("job", "a", {})
        jobs._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StoreError, match="The disk is full"):
            jobs.add("job", "b", {"filler": "x" * 100_000})
        assert jobs.done("job") == {"a": {}}


def test_a_store_that_another_program_holds_is_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.05)
    with closing(Jobs(path)) as jobs, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program holds"):
            jobs.add("job", "a", {})
        with pytest.raises(StoreError, match="Another program holds"):
            Jobs(path)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_only_the_owner_may_read_the_store(path: Path) -> None:
    with closing(Jobs(path)) as jobs:
        jobs.add("job", "a", {})
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    assert modes == dict.fromkeys(("jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm"), 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("own", "data", "expected"),
    [
        ("/own", "/data", "/own/jobs.sqlite"),
        ("~/own", "", "/user/own/jobs.sqlite"),
        ("", "/data", "/data/ticket-playground/jobs.sqlite"),
        ("", "data", "/user/.local/share/ticket-playground/jobs.sqlite"),
        ("", "", "/user/.local/share/ticket-playground/jobs.sqlite"),
    ],
)
def test_the_default_place(monkeypatch: pytest.MonkeyPatch, own: str, data: str, expected: str) -> None:
    monkeypatch.setenv("HOME", "/user")
    monkeypatch.setenv("TICKET_PLAYGROUND_HOME", own)
    monkeypatch.setenv("XDG_DATA_HOME", data)
    assert default_path() == Path(expected)
