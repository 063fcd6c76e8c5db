"""The report: its money is the bill's and the month's, what was not asked for stands nowhere, and nothing in it is live."""

from __future__ import annotations

import html
import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from playground.bill import PlanBill
from playground.charts.style import Chart
from playground.forecast import month
from playground.guarded import Surroundings, guarded
from playground.loop import run_all
from playground.money import Total, usd
from playground.prices import PRICE_DATE
from playground.records import PLANS, Handover, Proof, Trace
from playground.report import Report, Sources, build
from playground.report.around import parts_said
from playground.report.files import FORMATS
from playground.report.gather import one_row_each, ticket_spends
from playground.report.html import as_html
from playground.report.markdown import as_markdown, said
from playground.report.model import Column, Figure, Quote, Table, day, shown
from playground.report.redaction import aliases
from playground.report.sources import CustomerLine, CustomersPart, PlanPart, PlanStep, Ran, SpendLine, VerdictLine
from playground.report.spent import lines_of
from playground.report.svg import draw
from playground.report.xlsx import as_xlsx, exact
from playground.runtime import EmbeddingRules, Runtime
from playground.sample import as_payload, summed
from playground.tickets import samples
from playground.workshop import make_agent, make_router
from tests.report_helpers import (
    ANSWERS,
    HARM,
    MADE_ON,
    NAME,
    SAYS,
    Page,
    all_text,
    hostile_trace,
    log_sources,
    router,
    sample_batch,
    sheets,
    ticket_sources,
)

ALLOWED = frozenset(
    "html head meta title style body main header h1 h2 h3 p dl div dt dd nav ul li a section figure figcaption span table caption "
    "thead tr th tbody td pre footer svg g path rect line text tspan circle defs clippath".split()
)


def harmless(content: str) -> Page:
    """The page, checked: known tags only, nothing that runs, nothing that fetches."""
    page = Page(content)
    assert {tag for tag, _ in page.tags} <= ALLOWED
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes), tag
        assert not {"src", "srcset", "xlink:href", "action", "formaction", "style"} & set(attributes), tag
        assert attributes.get("href", "#").startswith("#")
        assert all(value.startswith("url(#") for value in attributes.values() if "url(" in value)
    assert "url(" not in page.style
    assert "@import" not in page.style
    return page


def rows(sheet: object) -> list[list[object]]:
    """Under the head; every row as long as the head."""
    return [[c.value for c in row] for row in sheet.iter_rows(min_row=5)]  # type: ignore[attr-defined]


# Money


def test_the_tickets_sums_are_the_bills_to_the_last_digit() -> None:
    sources = ticket_sources()
    assert sources.ticket is not None
    book = sheets(as_xlsx(build(sources)))
    heads = [c.value for c in book["Stages"][4]]
    for plan, title in zip(PLANS, ("Today", "Stratified", "kr-auto"), strict=True):
        column = heads.index(f"{title}, USD, exact")
        found = [Decimal(str(row[column])) for row in rows(book["Stages"])]
        bill: PlanBill = sources.ticket.plans[plan]
        assert found == [
            *(bill.stage_total(s.stage).known_usd for s in sources.ticket.trace.steps),
            bill.total.known_usd,
        ]
        assert sum(found[:-1]) == found[-1]
    receipts = [row[-1] for row in rows(book["Receipts"])]
    costs = [r.cost_usd for r in sources.ticket.trace.receipts]
    assert [Decimal(str(r)) for r in receipts] == [*costs, sum(c for c in costs if c is not None)]


def test_the_month_is_the_forecasts_to_the_last_digit() -> None:
    for sources in (ticket_sources(), log_sources()):
        report = build(sources)
        book = sheets(as_xlsx(report))
        heads = [c.value for c in book["Month"][4]]
        by_name = {row[0]: row for row in rows(book["Month"])}
        for plan, name in (("before", "Today"), ("stratified", "Stratified"), ("kr-auto", "kr-auto, potential")):
            m = month(sources.spends[plan], sources.assumptions)  # type: ignore[index]
            assert by_name[name][heads.index("All in, exact")] == exact(m.all_in_usd)
            assert by_name[name][heads.index("Models, exact")] == exact(m.models_usd)
            assert by_name[name][heads.index("All in")] == pytest.approx(float(m.all_in_usd))
        proven = month(sources.assured["proven"], sources.assumptions)
        assert by_name["kr-auto, proven"][heads.index("All in, exact")] == exact(proven.all_in_usd)


def test_the_headline_has_the_two_sums_and_says_how_sure_they_are() -> None:
    sources = log_sources()
    report, a = build(sources), sources.assumptions
    before, potential, proven, all_in = (f.amount for f in report.figures)
    assert before == month(sources.spends["before"], a).one_round_usd
    assert potential == month(sources.assured["estimated"], a).one_round_usd
    assert proven == month(sources.assured["proven"], a).one_round_usd == before
    routed = month(sources.spends["kr-auto"], a)
    assert all_in == routed.all_in_usd
    stays = f"Proven so far: nothing; the bill stays at {usd(before)}: 0 of 6 stages have passed a shadow evaluation."
    assert report.answer[0].endswith(stays)
    assert (
        f"{usd(routed.low_usd)} to {usd(routed.high_usd)}, 95% confidence, by bootstrap-t over 90 customers"
        in report.answer[2]
    )


def test_a_run_of_many_tickets_adds_up() -> None:
    payloads = [as_payload(hostile_trace(), 6)] * 40
    found = summed(payloads)
    lines = lines_of(payloads)
    assert Total.of(line.total.known_usd for line in lines).known_usd == found.spent_usd
    assert sum(line.failed_usd for line in lines) == found.failed_usd
    sources = replace(log_sources(), ran=Ran(found, "kr-auto", "rehearsal", lines))
    sheet = sheets(as_xlsx(build(sources)))["Run of many"]
    assert rows(sheet)[-1][-1] == exact(found.spent_usd)
    assert sum(Decimal(str(row[-1])) for row in rows(sheet)[:-1]) == found.spent_usd
    assert "Rehearsal: no model was called" in build(sources).footer


def beside_all() -> Trace:
    """A rehearsal with a second opinion."""
    flow = replace(router().pipeline, runtime=Runtime(second_opinions=1.0))
    agent = guarded(make_agent(make_router(flow)), Surroundings())
    return run_all(agent, samples()["02-password-reset"], "kr-auto")


def test_second_opinions_stand_under_the_sum_that_they_are_no_part_of() -> None:
    trace = beside_all()
    ticket = Total.of(r.cost_usd for r in trace.receipts)
    second = Total.of(r.cost_usd for _, s in trace.second_opinions for r in s.receipts)
    payloads = [as_payload(trace, 6)] * 2
    ran = Ran(summed(payloads), "kr-auto", "rehearsal", lines_of(payloads))
    book = sheets(as_xlsx(build(replace(ticket_sources(trace=trace), ran=ran))))
    for sheet, times in (("Receipts", 1), ("Run of many", 2)):
        *_, whole, beside, both = rows(book[sheet])
        assert [r[0] for r in (whole, beside, both)] == ["All", "Second opinions, beside it", "With second opinions"]
        assert [r[-1] for r in (whole, beside, both)] == [
            exact(s.known_usd * times) for s in (ticket, second, ticket + second)
        ]


def test_a_call_without_a_price_is_called_unpriced_and_makes_no_month() -> None:
    sources = ticket_sources()
    assert sources.ticket is not None
    line = replace(sources.ticket.plans["before"].lines[0], cost_usd=None)
    bill = replace(sources.ticket.plans["before"], lines=(line, *sources.ticket.plans["before"].lines[1:]))
    run = replace(sources.ticket, plans={**sources.ticket.plans, "before": bill})
    assert ticket_spends(run, prompt_cache=True) == ({}, {})
    report = build(replace(sources, ticket=run, spends={}, assured={}))
    assert report.figures[0].amount == bill.total
    assert "at least" in as_html(report)
    assert "1 call unpriced" in as_markdown(report)
    assert "A call of the ticket has no price, so it says nothing of a month." in report.missing
    sums = rows(sheets(as_xlsx(report))["Sums"])[0]
    assert str(sums[1]).startswith("at least $")
    assert sums[2] is None


def test_a_run_that_stopped_says_what_it_spent_and_compares_nothing() -> None:
    trace = replace(hostile_trace(), steps=hostile_trace().steps[:3])
    report = build(ticket_sources(trace=trace))
    assert [f.label for f in report.figures] == ["Spent on the ticket so far"]
    assert report.answer == ()
    assert any("stopped half way" in m for m in report.missing)
    assert set(FORMATS) == {".html", ".md", ".xlsx"}
    assert all(write(report) for write in FORMATS.values())


def test_a_ticket_that_a_person_takes_over_is_not_called_a_run_that_stopped() -> None:
    trace = hostile_trace()
    draft = next(i for i, s in enumerate(trace.steps) if s.stage == "draft")
    held = replace(trace.steps[draft], handover=Handover("confidence gate", "It is not sure."))
    report = build(ticket_sources(trace=replace(trace, steps=(*trace.steps[:draft], held, trace.steps[-1]))))
    assert [f.label for f in report.figures] == ["Spent; a person takes over"]
    assert "The last ticket went to a person at Draft: it says nothing of a month." in report.missing
    assert not any("half way" in m for m in report.missing)
    assert all(write(report) for write in FORMATS.values())


def test_nothing_at_all_is_a_report_that_says_so() -> None:
    report = build(Sources(router(), log_sources().assumptions, MADE_ON))
    assert report.word == "Nothing run"
    assert report.missing[0] == "No ticket has run and no log is priced: there is nothing to report yet."
    assert harmless(as_html(report)).text.count("Nothing has been run") >= 2
    assert as_xlsx(report)


# Provenance


def test_provenance_and_price_date_stand_on_every_page_and_sheet() -> None:
    report = build(ticket_sources())
    assert report.headline.startswith("Rehearsal: ")
    line = f"Prices of {day(PRICE_DATE)}."
    page = harmless(as_html(report))
    assert page.text.count(report.footer) == 2
    content = re.search(r"@bottom-left \{ content: \"(.*?)\";", page.style)
    assert content is not None
    assert re.sub(r"\\([0-9a-f]{6}) ", lambda m: chr(int(m[1], 16)), content[1]) == report.footer
    assert as_markdown(report).count(line) == 2
    for sheet in sheets(as_xlsx(report)).values():
        assert sheet["A2"].value == report.footer
        assert line in sheet["A2"].value
        assert sheet.oddFooter.left.text == report.short_footer
        assert line in report.short_footer


def test_the_printed_footer_is_short_enough_for_excel() -> None:
    log, ticket = log_sources(), ticket_sources()
    report = build(replace(log, ticket=ticket.ticket))
    assert len(report.footer) > 100
    for made in (report, replace(report, origin="Long. " * 99)):
        with zipfile.ZipFile(io.BytesIO(as_xlsx(made))) as book:
            found = [
                re.search(r"<oddFooter>(.*?)</oddFooter>", book.read(n).decode())
                for n in book.namelist()
                if "sheets/sheet" in n
            ]
        assert found
        assert all(f is not None and len(html.unescape(f[1])) <= 255 for f in found)
        assert all(f is not None and report.word in f[1] for f in found)


def test_a_priced_log_is_not_called_a_run_and_a_sample_is_called_made_up() -> None:
    sources = log_sources()
    assert sources.log is not None
    assert build(sources).word == "Priced, not run"
    assert "The log: priced, not run" in build(sources).footer
    made_up = replace(sources, log=replace(sources.log, is_sample=True))
    assert build(made_up).word == "Priced, not run, on a made-up sample"


def test_a_recording_has_its_own_date_and_prices() -> None:
    sources = ticket_sources()
    assert sources.ticket is not None
    trace = replace(sources.ticket.trace, provenance="recorded")
    said_then = "Recorded on 1 May 2026 from a live run."
    run = replace(sources.ticket, trace=trace, recorded=said_then, price_date=date(2026, 5, 1))
    report = build(replace(sources, ticket=run))
    assert report.word == "Recorded"
    assert report.footer.startswith(f"{said_then} Prices of 1 May 2026.")
    beside = build(replace(log_sources(), ticket=run))
    assert "The ticket's prices are of 1 May 2026." in beside.footer
    assert f"Prices of {day(PRICE_DATE)}" in beside.footer


# Redaction and hostile text


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("with_text", [False, True])
@pytest.mark.parametrize("with_names", [False, True])
def test_text_and_names_stand_nowhere_unless_asked_for(ending: str, with_text: bool, with_names: bool) -> None:
    sources = ticket_sources(with_text, with_names)
    names = CustomersPart("Customers by receipts", ("Spent",), (CustomerLine(NAME, 3, (Decimal(1),)),))
    found = all_text(FORMATS[ending](build(replace(sources, customers=(names,)))), ending)
    assert (SAYS in found) == with_text
    assert (ANSWERS in found) == with_text
    assert ("evil.example" in found) == with_text
    assert ("Zyx" in found) == with_names
    assert with_text or "zebracmd" not in found


@pytest.mark.parametrize("ending", FORMATS)
def test_a_logs_customers_are_numbers_unless_asked_for(ending: str) -> None:
    names = {str(n) for n in sample_batch().customers if n}
    kept, shown_names = (all_text(FORMATS[ending](build(log_sources(w))), ending) for w in (False, True))
    dearest = log_sources().log
    assert dearest is not None
    first = dearest.figures.customers.dearest[0].name
    assert not {n for n in names if n in kept}
    assert "Customer 1" in kept
    assert html.unescape(first) in html.unescape(shown_names)


def test_a_logs_file_name_is_no_part_of_a_report() -> None:
    found = as_html(build(log_sources(name="Zyxcorp tickets.csv")))
    assert "Zyxcorp" not in found


def test_the_html_is_inert_with_hostile_text_names_and_answers() -> None:
    sources = ticket_sources(True, True)
    found = as_html(build(sources))
    page = harmless(found)
    assert HARM in page.text
    assert "{{7*7}}" in page.text
    assert "<script" not in found.lower()
    policy = next(
        a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


def test_hostile_names_in_charts_and_agents_are_inert() -> None:
    batch = sample_batch()
    flow = replace(
        router().pipeline,
        title=HARM,
        stages=tuple(replace(s, title=f"{s.title} {HARM}") for s in router().pipeline.stages),
    )
    customers = batch.customers.copy()
    customers[:50] = f"{NAME} {HARM} \x00\u202e"
    sources = log_sources(True, replace(batch, customers=customers))
    titled = router().but()
    titled.pipeline = flow
    found = as_html(build(replace(sources, router=titled)))
    page = harmless(found)
    assert "alert(1)" in page.text
    assert "\u202e" not in found
    as_xlsx(build(replace(sources, router=titled)))


def test_every_chart_has_ids_of_its_own() -> None:
    page = harmless(as_html(build(log_sources())))
    ids = [a["id"] for t, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids)) > 10
    uses = {v[5:-1] for _, a in page.tags for v in a.values() if v.startswith("url(#")}
    assert uses <= set(ids)
    labelled = [a for t, a in page.tags if t == "svg"]
    assert labelled
    assert all(a["role"] == "img" and len(a["aria-label"]) > 20 for a in labelled)


def test_a_chart_cannot_bring_an_address_with_it() -> None:
    import altair as alt

    rows_ = [{"name": HARM, "n": 1, "to": "https://evil.example/"}]
    chart = alt.Chart(alt.InlineData(rows_)).mark_bar().encode(x="n:Q", y="name:N", href="to:N")
    (found,) = draw(Chart(chart, HARM), "p-", (300,))
    page = harmless(found)
    assert {t for t, _ in page.tags} <= ALLOWED
    assert "href" not in {name for _, a in page.tags for name in a}


# The workbook


def test_the_workbook_has_numbers_frozen_heads_and_no_formula() -> None:
    book = sheets(as_xlsx(build(ticket_sources(True, True))))
    assert next(iter(book)) == "Summary"
    assert {"Summary", "Month", "Stages", "Decisions", "Assumptions", "Receipts", "Evidence"} <= set(book)
    for sheet in book.values():
        assert sheet.freeze_panes == "A5"
        assert sheet.print_title_rows == "$1:$4"
        assert not [c for row in sheet.iter_rows() for c in row if c.data_type == "f"]
        texts = [c.value for row in sheet.iter_rows() for c in row if isinstance(c.value, str)]
        assert not [t for t in texts if t.startswith(("=", "+", "-", "@"))]
    money = book["Stages"]["B5"]
    assert isinstance(money.value, float)
    assert money.number_format == '"$"#,##0.000000'
    decision = {c.value: v.value for c, v in zip(book["Decisions"][4], book["Decisions"][5], strict=True)}
    assert 0 < decision["80% from"] <= decision["Quality"] <= decision["80% to"] <= 1
    assert decision["Why"]
    assert decision["Proven choice"] == decision["Today"]


def test_decisions_say_price_quality_why_and_what_would_change_them() -> None:
    sources = ticket_sources()
    assert sources.ticket is not None
    text = as_html(build(sources))
    for d in sources.ticket.plans["kr-auto"].decisions:
        assert html.escape(d.chosen.key) in text
        assert html.escape(d.reason[1:]) in text
        assert html.escape(d.flip) in text


def test_text_that_reads_like_an_error_stays_text() -> None:
    report = replace(build(ticket_sources()), sections=(), answer=("#N/A", "#REF!"))
    cells = sheets(as_xlsx(report))["Summary"]["A"][4 + len(report.figures) :]
    assert [(c.value, c.data_type) for c in cells[:2]] == [("#N/A", "s"), ("#REF!", "s")]


def test_a_long_text_fits_a_cell() -> None:
    report = replace(build(ticket_sources()), sections=())
    long = replace(report, answer=("x" * 40_000,))
    assert len(rows(sheets(as_xlsx(long))["Summary"])[len(report.figures)][0]) == 32_000  # type: ignore[arg-type]


# Markdown


def parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(text)


def inline(tokens: list[Token]) -> list[Token]:
    return [child for t in tokens for child in (t.children or [])]


def test_markdown_tables_render_and_nothing_in_them_means_anything() -> None:
    report = build(ticket_sources(True, True))
    tokens = parsed(as_markdown(report))
    tables = [t for t in report.tables() if t.place != "sheet"]
    assert sum(t.type == "table_open" for t in tokens) == len(tables)
    assert sum(t.type == "tr_open" for t in tokens) == sum(len(t.page_rows) + 1 for t in tables)
    cells = sum(t.type in ("td_open", "th_open") for t in tokens)
    assert cells == sum((len(t.page_rows) + 1) * len(t.columns) for t in tables)
    assert not {"html_block"} & {t.type for t in tokens}
    assert {t.type for t in inline(tokens)} <= {"text", "strong_open", "strong_close", "softbreak", "text_special"}
    fenced = [t.content for t in tokens if t.type == "fence"]
    assert any(SAYS in f for f in fenced)
    assert any(HARM in f for f in fenced)


@given(st.text(max_size=60))
def test_any_text_stays_text_in_markdown(text: str) -> None:
    tokens = parsed(f"| a |\n| --- |\n| {said(text)} |\n\n{said(text)}\n")
    assert sum(t.type == "tr_open" for t in tokens) == 2
    assert {t.type for t in inline(tokens)} <= {"text", "text_special", "softbreak"}
    assert not {
        "html_block",
        "heading_open",
        "bullet_list_open",
        "ordered_list_open",
        "blockquote_open",
        "hr",
        "fence",
    } & {t.type for t in tokens}


# The parts that may be absent


def test_verdicts_say_whether_they_hold() -> None:
    flow = router().pipeline
    stage = flow.stages[0]
    proof = Proof(
        stage.key, "llama-3.3-70b", "other-model-id", flow.name, "1", "no-such-prompt", 4_000, MADE_ON, "live"
    )
    sources = replace(ticket_sources(), verdicts=())
    assert "No shadow evaluation has been run." in as_markdown(build(sources))
    from playground.report.gather import verdicts

    found = build(replace(sources, verdicts=verdicts((proof,), router())))
    table = next(t for t in found.tables() if t.title == "Verdicts")
    assert table.rows[0][:5] == (stage.title, "llama-3.3-70b", "", "CUT OVER", 4_000)
    assert table.rows[0][-1] == "void: the prompt has changed since"


def test_a_recorded_verdict_of_the_pairs_on_screen_is_one_row_with_their_figures() -> None:
    recorded = VerdictLine("Intent", "m2", "m1", "KEEP", 120, 0.02, "rehearsal", MADE_ON, stands="holds")
    chart = Chart(None, "Nothing to draw.")
    seen = replace(recorded, decided_on=None, difference=-0.2, low=-0.3, high=-0.1, stands="not recorded", chart=chart)
    (one,) = one_row_each((recorded,), (seen,))
    assert one == replace(recorded, difference=-0.2, low=-0.3, high=-0.1, chart=chart)
    for other in (replace(seen, pairs=130), replace(seen, candidate="m3"), replace(seen, provenance="live")):
        assert one_row_each((recorded,), (other,)) == (recorded, other)
    earlier = replace(recorded, decided_on=date(2026, 1, 1))
    assert one_row_each((recorded, earlier), (seen,)) == (one, earlier)
    found = build(replace(ticket_sources(), verdicts=(one,)))
    note = next(t.note for t in found.tables() if t.title == "Verdicts")
    assert (
        "where only agreement is known, shown to differ, and which is right, only true labels or people can say" in note
    )


def test_the_plan_the_ledger_and_what_is_on_stand_in_it() -> None:
    plan = PlanPart((PlanStep("Week 1", "Receipts", "done", "Seven days.", Decimal("12.5")),), ("1 of 1 steps done.",))
    line = SpendLine("intent", "gpt-x", "live", Total(Decimal("0.125")), 4, 1, Decimal("0.025"), Decimal("0.5"), 10, 20)
    on = replace(router().pipeline.runtime, confidence_gate=0.6, second_opinions=0.05)
    by = router().but()
    by.pipeline = replace(by.pipeline, runtime=on)
    report = build(replace(ticket_sources(), router=by, plan=plan, receipts=(line,)))
    text = harmless(as_html(report)).text
    assert "Confidence gate: a draft less sure than 0.60 goes to a person." in text
    assert "Week 1" in text
    assert "There is no migration plan yet." not in text
    kept = rows(sheets(as_xlsx(report))["Kept receipts"])
    assert kept[0][1:5] == ["gpt-x", "live", 4, 1]
    assert kept[0][-1] == "0.125"


def test_a_long_table_is_whole_in_the_workbook_only() -> None:
    report = build(log_sources(True))
    table = next(t for t in report.tables() if t.sheet == "Customers")
    assert len(table.page_rows) == 25
    assert len(table.rows) == 90
    assert "The first 25 of 90; the workbook has them all." in as_markdown(report)
    assert len(rows(sheets(as_xlsx(report))["Customers"])) == 90


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "money", "unpriced"),
        (None, "text", ""),
        (Decimal("0.00012"), "money", "$0.000120"),
        (0.125, "share", "12.5%"),
        (1_234, "number", "1,234"),
        (date(2026, 5, 1), "text", "1 May 2026"),
        (Total(Decimal(2), 1), "money", "at least $2.00, 1 call unpriced"),
    ],
)
def test_cells_in_words(value: object, kind: str, text: str) -> None:
    assert shown(value, kind) == text  # type: ignore[arg-type]


def test_the_same_customer_has_the_same_number() -> None:
    assert aliases(["b", "", "a", "b"], False) == {"b": "Customer 1", "a": "Customer 2"}
    assert aliases(["b", "a\x00 c"], True) == {"b": "b", "a\x00 c": "a c"}


def test_a_report_is_a_plain_value() -> None:
    report = build(ticket_sources(True))
    assert isinstance(report, Report)
    assert any(isinstance(b, Quote) for s in report.sections for b in s.blocks)
    assert Figure("x", None).amount is None
    assert Table("t", (Column("a"),), ((1,), (2,)), most=1).page_rows == ((1,),)


def test_how_the_semantic_cache_compares_stands_with_what_is_known_of_it() -> None:
    by_letters = Runtime(semantic_cache=0.8)
    assert list(parts_said(by_letters)) == [
        "Semantic cache for intent: tickets alike to 0.80 or more by their letters share a label."
    ]
    rules = EmbeddingRules("text-embedding-3-small", 0.93, 1_000, 200, 1)
    said = list(parts_said(replace(by_letters, semantic_embedding=rules)))
    assert "by meaning, from 0.93 on: 1 of 200 hits were wrong on 1,000 labelled tickets" in said[1]
