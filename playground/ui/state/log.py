"""The session's ticket log: the file, which column holds what, and what it cost."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from typing import Literal

import streamlit as st

from playground.errors import BadTicket
from playground.knowledge import SAMPLES, sample_help_centre, sample_policies
from playground.lengths import observed, with_lengths
from playground.log_forecast import LogForecast
from playground.log_pricing import PricedBatch, price_batch
from playground.log_summary import LogFigures
from playground.logs import Columns, LogRead, Preview, preview
from playground.pipeline import Pipeline
from playground.runtime import Runtime
from playground.ui.log_work import LogWork
from playground.ui.state.gone import catch_up
from playground.ui.state.knobs import offer_volume, pipeline, settings
from playground.ui.state.runs import allowed, digest, trace
from playground.ui.state.session import notebook, say
from playground.workshop import make_router

Lengths = Literal["typical", "last run", "sample"]
SMALL_LOG_WAIT_S = 2.0
SAMPLE_LOG = SAMPLES / "log.csv"


_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a pricing was asked for; it becomes the log's own when its result is there."""

    columns: Columns
    lengths: Lengths
    mark: str


@dataclass(eq=False)
class LogDesk:
    """One session's log. `mark` is a digest of everything that its prices depend on."""

    name: str = ""
    path: Path | None = None
    shown: Preview | None = None
    error: str = ""
    work: LogWork | None = None
    asked: Asked | None = None
    number: int = 0
    """Tells the controls of one file from those of the next."""
    priced: PricedBatch | None = None
    figures: LogFigures | None = None
    forecast: LogForecast | None = None
    read: LogRead | None = None
    columns: Columns | None = None
    stopped: bool = False
    is_sample: bool = False
    dropped: bool = False
    """Whether the user took a log away: the sample does not come back by itself."""
    why_gone: str = ""
    """Why the log is gone, where the user did not take it away here."""
    mark: str = ""
    lengths: Lengths = "typical"
    seen: dict[str, Decimal] = field(default_factory=dict)
    """Output tokens by stage, as a sample of this log had them; empty before one ran."""

    def __post_init__(self) -> None:
        _DESKS.add(self)

    def erase(self) -> None:
        """Stop what reads the file, and remove it from the disk; the session drops the rest when it is looked at again."""
        if self.work is not None:
            self.work.cancel()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def folder(self) -> Path:
        """A new folder that goes with this object, or with the process."""
        made = tempfile.mkdtemp(prefix="ticket-playground-")
        weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
        return Path(made)


_DESKS: weakref.WeakSet[LogDesk] = weakref.WeakSet()
"""Those of every session of this server that still lives."""


def log_desks() -> tuple[LogDesk, ...]:
    """Every log in this server, so that a deleted customer leaves all of them."""
    return tuple(_DESKS)


def log_desk() -> LogDesk:
    """The session's log."""
    catch_up()
    if "log_desk" not in st.session_state:
        st.session_state.log_desk = LogDesk()
    found: LogDesk = st.session_state.log_desk
    return found


def load_log(name: str, write: Callable[[Path], None]) -> None:
    """Take a log in; one that cannot be read leaves the old one where it is, and says why."""
    desk = LogDesk()
    desk.name, path = name, desk.folder() / Path(name).name
    try:
        write(path)
        desk.shown, desk.path = preview(path), path
    except BadTicket as error:
        log_desk().error = str(error)
        return
    except OSError as error:
        log_desk().error = (
            f"{name} could not be kept on this machine ({error.strerror}). Free some space and load it again."
        )
        return
    forget_log()
    desk.number = next(_NUMBERS)
    st.session_state.log_desk = desk
    # Another log is another question: what was chosen for the one before it does not hold.
    st.session_state.pop("chosen_source", None)


def load_sample_log() -> None:
    """Take the made-up sample log, and price it."""
    load_log(SAMPLE_LOG.name, _copy_sample)
    desk = log_desk()
    desk.is_sample = True
    if desk.shown is not None and desk.shown.guess is not None:
        price_log(desk.shown.guess, "typical")


def _copy_sample(path: Path) -> None:
    path.write_bytes(SAMPLE_LOG.read_bytes())


def forget_log(why: str = "") -> None:
    """Drop the log and everything made of it; the log's page says why, until another is loaded."""
    cancel_log()
    drop_sample()
    st.session_state.log_desk = LogDesk(dropped=True, why_gone=why)


def drop_sample() -> None:
    """Let go of the sample that was drawn from the log; one that runs is stopped, and what it paid for stays stored."""
    sample = st.session_state.pop("sample_desk", None)
    if sample is not None and sample.work is not None:
        sample.work.cancel()


def lengths_pipeline(lengths: Lengths) -> Pipeline:
    """The agent with its typical lengths of answers, or with those that were seen."""
    done = trace()
    if lengths == "sample":
        return with_lengths(pipeline(), log_desk().seen)
    return with_lengths(pipeline(), observed([done])) if lengths == "last run" and done is not None else pipeline()


def lengths_known() -> list[Lengths]:
    """Where lengths can be taken from now."""
    return ["typical", *(["last run"] if trace() is not None else []), *(["sample"] if log_desk().seen else [])]  # type: ignore[list-item]


def price_log(columns: Columns, lengths: Lengths) -> None:
    """Start pricing the log on what is set now."""
    desk, book = log_desk(), notebook()
    assert desk.path is not None
    router = make_router(lengths_pipeline(lengths), settings(), book.catalog, book.own)
    price = partial(price_batch, router=router, help_centre=sample_help_centre(), policies=sample_policies())
    cancel_log()
    desk.asked = Asked(columns, lengths, log_mark(lengths))
    desk.work = LogWork(desk.path, columns, price).start(SMALL_LOG_WAIT_S)
    collect_log()


def log_mark(lengths: Lengths) -> str:
    """A digest of everything that a log's prices depend on, besides its file and columns."""
    book, rules = notebook(), settings()
    prices = [(m.name, m.price) for m in book.catalog.models if m.endpoint]
    own = (book.own.rows, book.own.pairs, book.own.proofs)
    # What stands around the calls changes no price of a log; what runs on it puts that into its own mark.
    bare = replace(lengths_pipeline(lengths), runtime=Runtime())
    return digest(bare, allowed(rules), sorted(rules.bars.items()), sorted(rules.pins.items()), prices, own)


def log_is_stale() -> bool:
    """Whether something changed that the log's prices depend on."""
    desk = log_desk()
    return desk.priced is not None and desk.mark != log_mark(desk.lengths)


def log_is_changed() -> bool:
    """Whether something changed since the pricing under way was begun."""
    asked = log_desk().asked
    return asked is not None and asked.mark != log_mark(asked.lengths)


def cancel_log() -> None:
    """Ask a running pricing to stop."""
    if (work := log_desk().work) is not None:
        work.cancel()


def collect_log() -> None:
    """Take what a finished pricing found. The frame calls it before every page."""
    desk = log_desk()
    work = desk.work
    if work is None:
        return
    if work.state == "running":
        work.look()
        return
    desk.error, desk.work = work.error or "", None
    if work.state == "cancelled" and desk.priced is not None and not desk.stopped:
        say("Pricing was cancelled. The figures are those from before.")
        return
    if work.priced is not None and desk.asked is not None:
        desk.columns, desk.lengths, desk.mark = desk.asked.columns, desk.asked.lengths, desk.asked.mark
        # A sample's rows are rows of the log as it was priced before.
        drop_sample()
        desk.priced, desk.figures, desk.forecast, desk.read = work.priced, work.figures, work.forecast, work.read
        desk.stopped = work.state == "cancelled"
        if not desk.is_sample and work.forecast is not None and work.forecast.tickets_per_month:
            offer_volume(work.forecast.tickets_per_month)
