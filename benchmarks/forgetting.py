"""A customer in every store, file and session, then deleted: how many traces are left in bytes, and in what is made afterwards.

Two sessions hold the customer, and one of them has a run of its ticket under way when the other deletes it.
"""

from __future__ import annotations

import html
import io
import json
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _report import quick, report

WHO, TICKET = 'Quillmark & Söhne "<b>', "QM-771-ö"
LOGGED = tuple(f"QM-{n}" for n in range(900, 903))
NEEDLES = (WHO, TICKET, *LOGGED, "the quince shipment")
OTHERS = 9
BEGUN, LET_GO, HOLDS = threading.Event(), threading.Event(), threading.Event()


def session() -> None:
    """A session's page: it does the step that it is asked for."""
    import forgetting
    import streamlit as st

    st.session_state.made = forgetting.STEPS[st.session_state.step]()


def ticket() -> Any:
    """The customer's ticket."""
    from playground.records import Ticket

    return Ticket(TICKET, f"Where is the quince shipment? I am of {WHO}.", f"For {WHO}", WHO)


def write_log(path: Path) -> None:
    """A small log in which the customer has some tickets."""
    from playground.safe_cells import csv_line

    lines = [["id", "customer", "created_at", "text"]]
    lines += [[t, WHO, "2026-10-03", "Where is the quince shipment?"] for t in LOGGED]
    lines += [[f"t{n}", f"c{n}", f"2026-10-{n + 1:02d}", f"Where is invoice {n}?"] for n in range(OTHERS)]
    path.write_text("".join(map(csv_line, lines)), encoding="utf-8")


def fill() -> Mapping[str, bytes]:
    """Ledger, answers, finished work, a log and a recording with the customer; returns what can be taken away of them."""
    import streamlit as st

    from playground.recorded import load
    from playground.records import Event
    from playground.runtime import ExactCache, Runtime
    from playground.ui import state
    from playground.ui.state.sample import jobs

    st.session_state.keep_texts = st.session_state.report_names = st.session_state.report_text = True
    st.session_state.shows_recording = False
    state.load_log("log.csv", write_log)
    guess = state.log_desk().shown
    assert guess is not None
    assert guess.guess is not None
    state.price_log(guess.guess, "typical")
    ended(state.log_desk().work, state.collect_log)
    state.draw_sample(len(LOGGED) + OTHERS)
    desk = state.sample_desk()
    assert desk is not None
    state.run_sample(desk.most_usd or 1)  # type: ignore[arg-type]
    ended(desk.work, state.collect_sample)
    jobs().add("evaluation", "1", {"pairs": {"m": {"customer": WHO, "ticket": TICKET}}})
    jobs().add("evaluation/labels", "1", {"candidate": "m", "ticket": TICKET, "value": 1.0})
    state.set_runtime(Runtime(exact_cache=ExactCache(), second_opinions=1.0))
    run_ticket()
    state.ledger().note(Event(datetime.now(UTC), "handover", "draft", WHO, "rehearsal", "r", TICKET, WHO))
    found = take()
    state.keep_recording(load(found["recording"], "run.json"))
    return found


def run_ticket() -> None:
    """The customer's ticket in the notebook, to its end."""
    from playground.ui import state

    state.set_ticket(ticket())
    state.start_run()
    ended(state.notebook().run, state.collect)


def hold() -> None:
    """The ticket again, stopped in the middle of a call."""
    from playground.ui import state

    HOLDS.set()
    state.set_ticket(replace(ticket(), text="Another word on the quince shipment."))
    state.start_run()


def delete() -> object:
    """Delete the customer."""
    from playground.ui import state

    return state.forget_customer(WHO)


def take() -> Mapping[str, bytes]:
    """Everything that a session can take away or show, by name."""
    from playground.customers.listing import Listing, as_csv, as_xlsx
    from playground.customers.prices import Prices
    from playground.customers.tiers import USUAL
    from playground.digest.markdown import as_markdown
    from playground.ledger import export
    from playground.log_export import as_csv as log_csv
    from playground.recorded import save
    from playground.report.files import FORMATS
    from playground.session_file import keep
    from playground.ui import state

    made, book = state.report()[0], state.ledger()
    found = {f"report{ending}": as_bytes(form(made)) for ending, form in FORMATS.items()}
    found |= {f"export.{form}": export.as_bytes(book.batches(), form) for form in export.FORMATS}
    listing = Listing(
        state.customers_of_receipts("rehearsal", None), "rehearsal", "", Prices(), USUAL["tickets"], "tickets"
    )
    found |= {"customers.csv": as_csv(listing), "customers.xlsx": as_xlsx(listing), "set-up": keep(state.setup(True))}
    found["sums"] = repr((book.spend(("customer",)), book.events(), book.names("customer"))).encode()
    found["recordings"] = repr([state.find_recording(name) for name in state.recording_names()]).encode()
    if (done := state.own_trace()) is not None:
        found["recording"] = save(done, state.run_router())
    if (batch := state.log_desk().priced) is not None:
        found["log.csv"] = log_csv(batch)
    if (day := state.digest_of(state.utc_today())) is not None:
        found["digest"] = as_markdown(day).encode()
    return found


STEPS: Mapping[str, Callable[[], object]] = {"fill": fill, "hold": hold, "delete": delete, "take": take}


def as_bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode("utf-8", "replace")


def ended(work: Any, collect: Callable[[], None]) -> None:
    """Wait for work in another thread, and take what it found."""
    if work is not None:
        work._thread.join(60)
    collect()


def plain(content: bytes) -> Iterator[bytes]:
    """A file's bytes, and those that stand in it compressed."""
    yield content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            yield from map(parts.read, parts.namelist())
    if content.startswith(b"PAR1"):
        from pyarrow import parquet

        yield repr(parquet.read_table(io.BytesIO(content)).to_pylist()).encode()


def traces(files: Mapping[str, bytes]) -> list[str]:
    """Which of these hold the customer, one of its tickets or their text, in whichever way it is written there."""
    ways = {
        w
        for n in NEEDLES
        for w in (n, json.dumps(n)[1:-1], html.escape(n), html.escape(n, quote=False), n.replace('"', '""'))
    }
    marks = [w.encode() for w in ways]
    return sorted(name for name, content in files.items() if any(m in part for part in plain(content) for m in marks))


def on_disk(home: Path) -> Mapping[str, bytes]:
    return {str(p.relative_to(home)): p.read_bytes() for p in home.rglob("*") if p.is_file()}


def held_rehearsal() -> Callable[..., Any]:
    """A rehearsal that stops in the middle of a call while `HOLDS` is set."""
    from playground.rehearsal.provider import sample_rehearsal

    usual = sample_rehearsal()

    def call(request: Any, watch: Any) -> Any:
        if HOLDS.is_set() and request.context.ticket.customer_id == WHO:
            BEGUN.set()
            LET_GO.wait(60)
        return usual(request, watch)

    return call


def main() -> None:
    import forgetting as steps
    from streamlit.testing.v1 import AppTest

    import playground.rehearsal

    brief = quick()
    with tempfile.TemporaryDirectory() as folder:
        # The stores and the folder of uploads are looked for when a page first asks for them.
        os.environ["TICKET_PLAYGROUND_HOME"] = os.environ["TMPDIR"] = folder
        tempfile.tempdir = folder
        playground.rehearsal.sample_rehearsal = steps.held_rehearsal  # type: ignore[assignment]
        mine, other = (AppTest.from_function(session, default_timeout=180) for _ in range(2))
        before = [*traces(asked(mine, "fill")), *traces(asked(other, "fill")), *traces(on_disk(Path(folder)))]
        asked(other, "hold")
        assert steps.BEGUN.wait(60)
        run = other.session_state["notebook"].run
        gone = asked(mine, "delete")
        steps.LET_GO.set()
        run._thread.join(60)
        left = [*traces(asked(mine, "take")), *traces(asked(other, "take")), *traces(on_disk(Path(folder)))]
        close()
    report(
        "forgetting",
        {"traces_left": len(left)},
        {"traces_left": 0},
        {
            "traces_before": len(before),
            "held_it_before": sorted(set(before)),
            "left_in": left,
            "deleted": repr(gone),
            "quick": brief,
        },
    )


def asked(app: Any, step: str) -> Any:
    """Have a session do a step, and what it made."""
    app.session_state["step"] = step
    app.run()
    assert not app.exception, app.exception
    return app.session_state["made"]


def close() -> None:
    from playground.ui import state
    from playground.ui.state.sample import jobs

    with closing(state.ledger()), closing(jobs()):
        pass


if __name__ == "__main__":
    main()
