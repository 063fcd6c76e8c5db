"""One notebook cell: a stage's state, its pick and cost, and inside it output, prompt, decision and receipts."""

from __future__ import annotations

import streamlit as st

from playground.bill import PlanBill
from playground.errors import BadInput
from playground.loop import climb_line
from playground.money import Total, percent_change
from playground.pipeline import PromptTemplate, Stage, check_prompt
from playground.records import Attempt, Plan, Step
from playground.ui import state
from playground.ui.cell_notes import cell_notes
from playground.ui.decision import show_decision
from playground.ui.outputs import show_output
from playground.ui.widgets import NO_CHANGE, USD_COLUMN, as_float, counted, dollars, plain, table, tokens_line

VIEWS = ("Output", "Prompt", "Decision", "Receipts")
BADGE = {
    "fresh": "green",
    "recorded": "blue",
    "stale": "orange",
    "running": "blue",
    "waiting": "gray",
    "failed": "red",
    "cancelled": "orange",
    "handed over": "violet",
    "skipped": "gray",
    "blocked": "gray",
    "not run": "gray",
}
SKIPPED = "Skipped, because a person takes over."


def cell(number: int, stage: Stage, status: str, step: Step | None, plans: dict[Plan, PlanBill] | None) -> None:
    """Draw one cell. `status` is one of the words of `BADGE`."""
    with st.container(border=True, key=f"cell_{stage.key}", gap="xsmall"):
        _header(number, stage, status, step, plans)
        if step is not None and step.handover is not None:
            held = " The output below was not sent." if step.handover.withheld else ""
            st.info(plain(f"To a person: {step.handover.reason}{held}"), icon=":material/person_raised_hand:")
        elif step is not None and step.message:
            _problem(step)
        if status == "running":
            st.text(_streamed(stage.key))
            return
        if step is not None:
            cell_notes(step)
        _views(stage, status, step)


def _header(number: int, stage: Stage, status: str, step: Step | None, plans: dict[Plan, PlanBill] | None) -> None:
    left, right = st.columns([3, 2], vertical_alignment="center", gap="small")
    model = f"  \u2002{_whom(step)}" if step else ""
    left.markdown(f"**{number}\u2002{stage.title}**\u2002:{BADGE[status]}-badge[{status}]{model}")
    if step is None:
        return
    left.caption(plain(_reason(step)))
    right.markdown(
        _cost(stage.key, plans)
        if plans and step.state == "done"
        else dollars(f"**{Total.of(r.cost_usd for r in step.receipts)}**")
    )
    right.caption(tokens_line([r.usage for r in step.receipts]) + _latency(step))


def _whom(step: Step) -> str:
    """Who answered, and whom that was instead of where nothing of the choice's was used."""
    chosen = step.decision.chosen.key
    answered = list(dict.fromkeys(a.candidate.key for a in step.attempts if a.output is not None)) or [chosen]
    names = " and ".join(f"`{key}`" for key in answered)
    return names if chosen in answered else f"{names} instead of `{chosen}`"


def _reason(step: Step) -> str:
    reason = step.decision.reason
    return f"{reason[:1].upper()}{reason[1:]}{climb_line(step)}"


def _cost(stage: str, plans: dict[Plan, PlanBill]) -> str:
    ran = next(b for b in plans.values() if b.ran)
    cost, was = ran.stage_total(stage), plans["before"].stage_total(stage)
    served = Total.of(line.cost_usd for line in ran.lines if line.served and line.stage == stage)
    kept = f"\u2002of it {served} saved by our cache" if served != Total() else ""
    if ran.plan == "before":
        return dollars(f"**{cost}**{kept}")
    change = percent_change(cost.exact_usd, was.exact_usd)
    against = "as today" if change == NO_CHANGE else f"was {was}\u2002{change}"
    return dollars(f"**{cost}**\u2002{against}{kept}")


def _latency(step: Step) -> str:
    seconds = [r.latency_s for r in step.receipts if r.latency_s is not None]
    if not seconds:
        return ""
    beside = f", {len(step.prompts)} side by side" if len(step.prompts) > 1 else ""
    return f", {max(seconds):.2f} s{beside}"


def _problem(step: Step) -> None:
    st.error(plain(step.message), icon=":material/error:")
    if "Bars and limits" in step.message:
        st.page_link("pages/bars.py", label="Change the limits", icon=":material/tune:")
    if "Settings" in step.message:
        st.page_link("pages/settings.py", label="Add or change a key", icon=":material/key:")


def _streamed(stage: str) -> str:
    run = state.notebook().run
    return (run.shown(stage) if run else "") or "Waiting for the first words."


def _views(stage: Stage, status: str, step: Step | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        view = st.segmented_control(
            "View", VIEWS, key=f"view_{stage.key}", label_visibility="collapsed", default=_first_view(stage)
        )
        if state.recording() is None and st.button(
            "Run from here", key=f"from_{stage.key}", type="tertiary", icon=":material/play_arrow:"
        ):
            state.start_run(stage.key)
            st.rerun()
    if view == "Prompt":
        _prompt(stage, step)
    elif view and step is None:
        st.caption(SKIPPED if status == "skipped" else "This stage has not run yet.")
    elif step is not None and view:
        _show(view, stage, step)


def _show(view: str, stage: Stage, step: Step) -> None:
    if view == "Output":
        show_output(step)
    elif view == "Decision":
        show_decision(stage, step)
    else:
        _receipts(stage, step)


def _first_view(stage: Stage) -> str | None:
    return "Output" if stage.key == "respond" else None


def _prompt(stage: Stage, step: Step | None) -> None:
    if state.recording() is None:
        _edit_prompt(stage)
    for prompt in step.prompts if step else ():
        with st.expander(
            f"As sent, call {prompt.call}: {prompt.input_tokens:,} tokens",
            key=f"sent_{stage.key}_{prompt.call}",
            on_change="rerun",
        ) as sent:
            if sent.open:
                st.code(
                    "\n\n".join(f"[{m.role}]\n{m.content}" for m in prompt.messages),
                    language=None,
                    wrap_lines=True,
                    height=400,
                )


def _edit_prompt(stage: Stage) -> None:
    current = state.pipeline().stage(stage.key).prompt
    with st.form(f"prompt_{stage.key}", border=False):
        system = st.text_area(
            "System message, the same for every ticket", current.system, height=220, key=f"system_{stage.key}"
        )
        user = st.text_area(
            "User message, filled in for this ticket", current.user, height=180, key=f"user_{stage.key}"
        )
        saved = st.form_submit_button("Save prompt")
    if saved:
        _save_prompt(stage, PromptTemplate(system, user))
    if stage.key in state.notebook().edits:
        st.button(
            "Back to the pipeline's own prompt",
            key=f"reset_{stage.key}",
            on_click=state.reset_prompt,
            args=(stage.key,),
        )


def _save_prompt(stage: Stage, prompt: PromptTemplate) -> None:
    held = state.proofs_that_hold()
    try:
        state.notebook().edits[stage.key] = check_prompt(prompt, stage.key)
    except BadInput as error:
        st.error(plain(str(error)))
        return
    gone = [p for p in held if p not in state.proofs_that_hold()]
    for proof in gone:
        state.say(f"The verdict on {proof.candidate} at {proof.stage} is void now: the prompt has changed.")
    st.rerun()


def _receipts(stage: Stage, step: Step) -> None:
    table(
        [_receipt(a) for a in step.attempts],
        {"USD": st.column_config.NumberColumn(format=USD_COLUMN)},
        f"Receipts of {stage.title}",
    )
    total = Total.of(r.cost_usd for r in step.receipts)
    tries = counted(len(step.asked), "attempt")
    if more := len(step.attempts) - len(step.asked):
        tries += f" and {counted(more, 'call')} that embedded the ticket for the semantic cache"
    st.caption(dollars(f"{tries}, {total}. Every attempt is billed, also one whose output was not used."))


def _receipt(attempt: Attempt) -> dict[str, object]:
    r, u = attempt.receipt, attempt.receipt.usage
    return {
        "Call": r.call,
        "Try": r.attempt,
        "Model": attempt.candidate.key,
        "Result": r.outcome if r.failure is None else f"{r.outcome}: {r.failure.replace('_', ' ')}",
        "From": r.source,
        "Fresh in": u.fresh_tokens,
        "Cache read": u.cache_read_tokens,
        "Cache written": u.cache_write_tokens,
        "Text out": u.visible_tokens,
        "Thinking out": u.reasoning_tokens,
        "Counted by": u.counted,
        "USD": as_float(r.cost_usd),
        "Price of": r.price_as_of,
        "Seconds": r.latency_s,
        "Run": r.provenance,
        "Why not used": " ".join(attempt.verdict.findings),
        "Why this model": r.rule,
    }
