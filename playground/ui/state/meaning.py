"""The session's tuning of the semantic cache by meaning: labelled tickets, a model for embeddings, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.caps import Purse
from playground.embedders import embedder_of, known_embedders, rules_name
from playground.embedding_run import Embedding, expected_usd, wanted
from playground.embedding_threshold import Tuning
from playground.gateway import Gateway
from playground.guarded import beside, why_letters
from playground.hit_threshold import LEXICAL
from playground.labelled_texts import Labelled, enough, of_labels
from playground.middleware import around
from playground.money import ZERO
from playground.prices import cost_usd
from playground.receipts import Biller
from playground.records import Model, Usage
from playground.runtime import EmbeddingRules
from playground.semantic_cache import words_of
from playground.ui.meaning_work import MeaningWork
from playground.ui.state.gone import catch_up
from playground.ui.state.guards import runtime, set_runtime, surroundings
from playground.ui.state.knobs import knobs, router
from playground.ui.state.ledger import recorded
from playground.ui.state.runs import trace
from playground.ui.state.session import notebook, say
from playground.workshop import make_agent
from playground.worst_case import most_embedded


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be embedded and about what it costs, worked out once for each state of rows and vectors."""

    mark: object
    texts: list[str]
    usd: Decimal | None


@dataclass
class MeaningDesk:
    """`known` are vectors by text, of the model `of`; `found` is what tuning on `rows` with it came to."""

    rows: tuple[Labelled, ...] = ()
    in_file: int = 0
    foreign: int = 0
    """Rows that were left out, as the agent gives no such label."""
    known: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    of: Model | None = None
    work: MeaningWork | None = None
    found: Tuning | None = None
    error: str = ""
    left: Left | None = None


@dataclass(frozen=True, slots=True)
class TuningCost:
    """Texts that are still to be sent, of how many; about what that costs, `None` without a price; the cap on a run, if any.

    `most_usd` is what a cap sets aside for them: it may stop them although they cost less.
    """

    left: int
    texts: int
    usd: Decimal | None
    cap_usd: Decimal | None
    most_usd: Decimal | None = None


def meaning_desk() -> MeaningDesk:
    """The session's tuning."""
    catch_up()
    if "meaning_desk" not in st.session_state:
        st.session_state.meaning_desk = MeaningDesk()
    found: MeaningDesk = st.session_state.meaning_desk
    return found


def take_labelled(found: list[Labelled]) -> None:
    """Put these in the place of an earlier file's. Raises `BadInput` where they are too few or have a single label."""
    own = of_labels(found, tuple(notebook().pipeline.labels))
    rows, desk = enough(own), meaning_desk()
    cancel_meaning()
    texts = {x.text for x in rows}
    desk.known = {text: vector for text, vector in dict(desk.known).items() if text in texts}
    desk.rows, desk.in_file, desk.found, desk.error = rows, len(own), None, ""
    desk.foreign = len(found) - len(own)


def forget_labelled() -> None:
    """Drop the file's tickets, and what was made of them; a threshold that is in use stays."""
    cancel_meaning()
    st.session_state.meaning_desk = MeaningDesk()


def embedder_choices() -> tuple[Model, ...]:
    """The known models for embeddings; those that a key reaches first."""
    return tuple(sorted(known_embedders(), key=lambda m: not reaches(m)))


def own_addresses() -> tuple[str, ...]:
    """Addresses of one's own that this session can call."""
    return tuple(key for key in notebook().connections if "://" in key)


def reaches(model: Model) -> bool:
    """Whether this session can call a model for embeddings."""
    return _gateway().reaches(model)


def _gateway() -> Gateway:
    return Gateway(notebook().connections, runtime().prompt_cache)


def tuning_cost(model: Model) -> TuningCost:
    """What tuning with a model will send and cost."""
    left, caps = _left(model), runtime().cost_caps
    cap_usd = None if caps is None else caps.run_usd
    most = cost_usd(Usage(most_embedded(left.texts), 0), model.price)
    return TuningCost(len(left.texts), len(left.texts) + len(_known(model)), left.usd, cap_usd, most)


def _left(model: Model) -> Left:
    desk, known = meaning_desk(), _known(model)
    mark = (id(desk.rows), len(known), model)
    if desk.left is None or desk.left.mark != mark:
        texts = wanted(desk.rows, known)
        desk.left = Left(mark, texts, expected_usd(model, texts))
    return desk.left


def _known(model: Model) -> dict[str, NDArray[np.float32]]:
    """Vectors of this very model; another's cannot be compared with them."""
    of = meaning_desk().of
    same = of is not None and (of.id, of.endpoint) == (model.id, model.endpoint)
    return meaning_desk().known if same else {}


def tune_meaning(model: Model) -> None:
    """Embed what is not yet, and tune; in a thread, under the caps on a call and a run."""
    cancel_meaning()
    desk, texts = meaning_desk(), _left(model).texts
    desk.known, desk.of, desk.found, desk.error = _known(model), model, None, ""
    letters = runtime().semantic_cache
    threshold = LEXICAL.threshold if letters is None else letters
    desk.work = MeaningWork(desk.rows, texts, desk.known, _embedding(model), threshold).start()


def _embedding(model: Model) -> Embedding:
    gateway, caps = _gateway(), runtime().cost_caps
    book = recorded(make_agent(router(), gateway.complete, "live"), "tuning")
    purse = None if caps is None or caps.run_usd is None else Purse(caps.run_usd)
    parts = beside(book, surroundings(gateway), purse)
    bill = Biller(book.pipeline.name, knobs().plan, "intent", "live", book.record)
    return Embedding(model, around(parts, book.complete), bill)


def cancel_meaning() -> None:
    """Ask a running tuning to stop; what was embedded stays."""
    desk = meaning_desk()
    if desk.work is not None:
        desk.work.cancel()
        desk.work = None


def collect_meaning() -> None:
    """Take what a finished tuning found."""
    desk = meaning_desk()
    if desk.work is None:
        return
    desk.work.look()
    if not desk.work.running:
        desk.found, desk.error, desk.work = desk.work.found, desk.work.error, None


def use_meaning() -> None:
    """Have live runs compare by meaning, from the threshold that was found."""
    desk, model = meaning_desk(), meaning_desk().of
    found = desk.found
    if found is None or found.threshold is None or model is None:
        return
    price = model.price.rates.input_usd_per_mtok if model.price and model.endpoint else None
    rules = EmbeddingRules(
        rules_name(model),
        found.threshold,
        found.requests,
        found.hits,
        found.false_hits,
        datetime.now(UTC).date(),
        model.endpoint,
        price,
    )
    set_runtime(replace(runtime(), semantic_embedding=rules))
    say("Applied. Live runs compare by meaning from the next ticket on, where the semantic cache is on.")


def use_letters() -> None:
    """Have live runs compare by letters again."""
    set_runtime(replace(runtime(), semantic_embedding=None))
    say("Applied. Live runs compare by letters again.")


def by_letters_why() -> str:
    """Why tickets are compared by letters now, as a sentence; empty where they are compared by meaning."""
    return why_letters(runtime(), "live" if knobs().mode == "Live" else "rehearsal", reaches)


def embedding_usd() -> Decimal | None:
    """Embedding a ticket as live runs do now; nothing where none is asked for, `None` without a price."""
    rules = runtime()
    if rules.semantic_cache is None or rules.semantic_embedding is None or by_letters_why():
        return ZERO
    return embedded_usd(embedder_of(rules.semantic_embedding))


def embedded_usd(model: Model) -> Decimal | None:
    """Embedding a ticket as long as the one in the notebook; `None` without a price."""
    done = trace()
    ticket = notebook().ticket if done is None else done.ticket
    return expected_usd(model, [words_of(ticket)])


def drop_labelled(gone: object) -> None:
    """Labelled tickets name no customer: after any deletion they are let go of, for they may hold that one's words."""
    desk: MeaningDesk | None = st.session_state.get("meaning_desk")
    if desk is None or not desk.rows:
        return
    if desk.work is not None:
        desk.work.cancel()
    st.session_state.meaning_desk = MeaningDesk()
    say(
        "The labelled tickets may hold words of a customer who was deleted, so they were dropped. Load them again without."
    )


def rows_said(rows: Sequence[Labelled]) -> tuple[int, int]:
    """Different texts and labels."""
    return len({x.text for x in rows}), len({x.label for x in rows})
