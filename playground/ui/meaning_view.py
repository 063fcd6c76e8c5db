"""Comparing by meaning, in live runs: bring labelled tickets, see what tuning costs, tune, and use what was found."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from playground.embedders import own_embedder
from playground.embedding_threshold import Tuning
from playground.labelled_texts import MOST, read_labelled
from playground.money import usd
from playground.records import Model
from playground.runtime import EmbeddingRules
from playground.ui import state
from playground.ui.file_of import file_of
from playground.ui.widgets import counted, dollars, figure, figures_row, plain, small_usd

REFRESH_S = 0.5
OWN = "A model at your own address"
WHAT = (
    "Comparing by letters misses tickets that ask the same in other words. In live runs a model for embeddings can help: it turns "
    "a text into a list of numbers, and texts that mean the same get similar numbers. How similar is similar enough is found on "
    "tickets of yours whose label is known. Each live ticket then takes one more short call, which is on its receipt. A wrong hit "
    "is worse than a miss: at most 2% of the hits may be wrong, and numbers and English negations must still be equal; a ticket "
    "that does not read as English is never compared by meaning."
)
LIVE = (
    "It takes a key for a model for embeddings, which cost little, and a file of 200 or more tickets, better some thousands, each "
    "with the label that Intent should give. Choose Live in the sidebar to begin. A rehearsal compares by letters."
)
TENANT = (
    "Counted as if all these tickets were one customer's. Customers share nothing, so expect fewer hits; and where few earlier "
    "tickets can disagree, more of them may be wrong."
)


def compared_said() -> str:
    """How tickets are compared now, and why, for the control of the semantic cache."""
    rules, why = state.runtime().semantic_embedding, state.by_letters_why()
    if why or rules is None:
        return f"Tickets are compared by their letters. {why}"
    on = "" if state.runtime().semantic_cache is not None else "Once it is on: "
    return f"{on}Tickets are compared by meaning, not by the slider above. {in_force_said(rules)}"


def in_force_said(rules: EmbeddingRules) -> str:
    """The threshold in use with what is known of it."""
    found = Tuning(rules.threshold, rules.requests, rules.hits, rules.false_hits)
    on = "" if rules.as_of is None else f" on {rules.as_of:%-d %B %Y}"
    return (
        f"{rules.model}, from {rules.threshold:.2f} alike on: {_wrong(found)} of {counted(rules.hits, 'hit')} were wrong on "
        f"{rules.requests:,} labelled tickets that it was not tuned on{on}, {_bound(found)}."
    )


def meaning_view() -> None:
    """Draw the section."""
    state.collect_meaning()
    desk = state.meaning_desk()
    st.subheader("Compare by meaning, in live runs")
    st.caption(WHAT)
    _in_use()
    if state.knobs().mode != "Live":
        st.info(LIVE, icon=":material/info:")
    else:
        _tune(desk)


def _in_use() -> None:
    rules = state.runtime().semantic_embedding
    if rules is None:
        return
    if state.runtime().semantic_cache is None:
        st.warning("A threshold is set, but the semantic cache is off. Switch it on above to use it.")
    elif why := state.by_letters_why():
        st.caption(plain(f"Set, and not in force now. {why}"))
    st.markdown(plain(f"Set for live runs: {in_force_said(rules)}"))
    st.button("Use letters again", icon=":material/undo:", on_click=state.use_letters)


def _tune(desk: state.MeaningDesk) -> None:
    model = _model()
    file_of(
        "Labelled tickets: columns text, label and, if tickets have one, subject",
        "labelled_file",
        read_labelled,
        state.take_labelled,
    )
    if desk.work is not None:
        _progress()
        return
    if desk.rows:
        _rows(desk)
        if model is not None:
            _offer(model)
        st.button("Forget these tickets", type="tertiary", on_click=state.forget_labelled)
    if desk.error:
        st.error(plain(desk.error), icon=":material/error:")
    if desk.found is not None and desk.of is not None:
        _found(desk.found, desk.of)


def _model() -> Model | None:
    choices, addresses = state.embedder_choices(), state.own_addresses()
    named = {m.name: m for m in choices}
    options = [*named, *([OWN] if addresses else [])]
    name = st.selectbox(
        "Model for embeddings", options, format_func=lambda n: _label(named.get(n)), key="meaning_model"
    )
    model = named.get(name)
    if model is None:
        return _own(addresses)
    if not state.reaches(model):
        st.warning(plain(f"There is no key for {model.provider}. Add one to use this model."), icon=":material/key:")
        st.page_link("pages/settings.py", label="Add a key in Settings", icon=":material/key:")
        return None
    return model


def _label(model: Model | None) -> str:
    if model is None or model.price is None:
        return OWN
    key = "" if state.reaches(model) else ", no key yet"
    return f"{model.name}, {model.provider}, {usd(model.price.rates.input_usd_per_mtok)} a million tokens{key}"


def _own(addresses: tuple[str, ...]) -> Model | None:
    left, middle, right = st.columns(3)
    address = left.selectbox("Address", addresses, key="meaning_address")
    name = middle.text_input("Name of the model there", key="meaning_name").strip()
    price = right.number_input(
        "USD a million tokens", 0.0, None, None, key="meaning_price", help="Empty: not known, and no cap lets it out."
    )
    if not name or " " in name:
        st.caption("Name the model for embeddings that this address serves.")
        return None
    return own_embedder(name, address, None if price is None else Decimal(str(price)))


def _rows(desk: state.MeaningDesk) -> None:
    different, labels = state.rows_said(desk.rows)
    if desk.foreign:
        st.caption(
            f"{counted(desk.foreign, 'row')} with a label that Intent never gives: left out, as hits there say nothing of its own."
        )
    drawn = f", drawn at random from {desk.in_file:,}" if desk.in_file > MOST else ""
    st.caption(
        f"{counted(len(desk.rows), 'ticket')}{drawn}: {different:,} different texts, {labels:,} labels. Texts with an address, "
        "four digits or more, over 2,000 characters or not in English are not sent: they never get another's label."
    )


def _offer(model: Model) -> None:
    cost = state.tuning_cost(model)
    st.markdown(f"{plain(_sent(cost, model))} {dollars(_costs(cost))}")
    if cost.cap_usd is not None and (cost.most_usd is None or cost.most_usd > cost.cap_usd or not cost.cap_usd):
        st.warning(dollars(_capped(cost, cost.cap_usd)))
    label = "Tune" if cost.left == cost.texts else "Go on tuning" if cost.left else "Tune again"
    st.button(label, type="primary", icon=":material/tune:", on_click=state.tune_meaning, args=(model,))


def _sent(cost: state.TuningCost, model: Model) -> str:
    if not cost.left:
        return f"All {cost.texts:,} texts are embedded, and none is sent again."
    rest = f", of {cost.texts:,}; the others were embedded before" if cost.left < cost.texts else ""
    return f"{counted(cost.left, 'text')} will be sent to {model.provider}{rest}."


def _costs(cost: state.TuningCost) -> str:
    if not cost.left:
        return "Tuning costs nothing more."
    if cost.usd is None:
        return "The model has no price, so what that costs is not known. You pay for it."
    return f"That costs about **{usd(cost.usd)}**, an estimate. You pay for it."


def _capped(cost: state.TuningCost, cap: Decimal) -> str:
    if cost.usd is None:
        return f"The cap on a run is {usd(cap)}, and no call goes out to a model without a price under it. Give it a price."
    if cost.usd > cap or not cap:
        return f"The cap on a run is {usd(cap)}: tuning will stop at it. Raise it above first; what was embedded by then is kept."
    most = small_usd(cost.most_usd or Decimal(0))
    return (
        f"The cap on a run is {usd(cap)}, and a cap sets aside the most that calls can cost, {most} for all of them: tuning may "
        "stop at it. What was embedded by then is kept."
    )


@st.fragment(run_every=REFRESH_S)
def _progress() -> None:
    work = state.meaning_desk().work
    if work is None or not work.running:
        st.rerun()
        return
    work.look()
    so_far = "cost not known" if work.unpriced else f"{usd(work.spent_usd)} so far"
    said = f"Embedding, {so_far}" if work.doing == "embedding" else "Comparing"
    st.progress(min(1.0, work.share), dollars(said))
    st.button("Cancel", icon=":material/stop:", on_click=state.cancel_meaning, key="cancel_meaning")


def _found(found: Tuning, model: Model) -> None:
    if found.threshold is None:
        st.warning(plain(f"{found.why} Live runs go on comparing by letters."), icon=":material/block:")
        _letters_beside(found)
        return
    with figures_row():
        figure("Serve from", f"{found.threshold:.2f} alike", help_text="Tuned on one half of the tickets.")
        figure(
            "Tickets served",
            f"{found.hit_share:.1%}",
            help_text=f"{found.hits:,} of {found.requests:,}, the other half.",
        )
        figure("Wrong among them", _wrong(found), help_text=f"{_bound(found).capitalize()}.")
        figure("By letters", f"{found.letter_hit_share:.1%}", help_text="Tickets served on the same half.")
    st.markdown(
        f"On the half that nothing was tuned on, {_wrong(found)} of {found.hits:,} hits are wrong, {_bound(found)}."
    )
    _letters_beside(found)
    if worth := _worth(found, model):
        st.info(dollars(worth), icon=":material/balance:")
    st.caption(TENANT)
    st.button(
        plain(f"Use {model.name} in live runs"), type="primary", icon=":material/check:", on_click=state.use_meaning
    )


def _worth(found: Tuning, model: Model) -> str:
    """What hits save a month against what asking costs; empty where a price is missing."""
    month = state.meaning_month(model, found.hit_share)
    if month is None:
        return ""
    (saved, asked), n = month, state.assumptions().tickets_per_month
    wrong = found.false_hits / found.requests * n
    verdict = "It costs more than it saves." if asked >= saved else f"That leaves {small_usd(saved - asked)}."
    return (
        f"At {n:,} tickets a month such hits save about {small_usd(saved)} at Intent under kr-auto; embedding every ticket costs "
        f"about {small_usd(asked)}. {verdict} About {wrong:,.0f} tickets would get a wrong label."
    )


def _letters_beside(found: Tuning) -> None:
    st.caption(
        f"By letters {found.letter_hits:,} of the same {found.requests:,} tickets are served, "
        f"{found.letter_false_hits:,} of them wrong."
    )


def _wrong(found: Tuning) -> str:
    return f"{found.false_hits:,} ({found.false_hits / found.hits:.1%})"


def _bound(found: Tuning) -> str:
    return f"below {found.false_hit_bound:.1%} with 95% confidence"
