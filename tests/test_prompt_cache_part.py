"""The part `prompt_cache` of an agent's file: on unless switched off, and then nothing is marked and nothing is counted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest

from playground.bill import bills
from playground.cli import main
from playground.errors import BadPipeline
from playground.forecast import Assumptions
from playground.gateway import Connection, Gateway
from playground.knowledge import SAMPLES
from playground.levers import levers
from playground.log_forecast import log_forecast
from playground.log_levers import log_levers
from playground.loop import run_all
from playground.options import Settings
from playground.pipeline import load_shipped, parse, to_yaml
from playground.pipeline_file import shipped
from playground.prompt_caching import saved_usd
from playground.records import Model
from playground.runtime import Runtime
from playground.tickets import samples
from playground.workshop import make_agent, make_router
from tests.fake_server import FakeServer, Reply
from tests.test_log_forecast import cached, forecast, made
from tests.test_prompt_caching import CLAUDE, MARKED, NEW, SONNET, ask

OFF = "name: mine\ntitle: Mine\nextends: support\nstages: []\nruntime: {prompt_cache: false}\n"


def test_it_is_on_for_every_shipped_agent_and_a_file_switches_it_off() -> None:
    assert all(load_shipped(name).runtime.prompt_cache for name in shipped())
    flow = parse(OFF, "mine.yaml")
    assert flow.runtime == Runtime(prompt_cache=False)
    assert parse(to_yaml(flow), "again.yaml") == flow
    assert "prompt_cache" not in to_yaml(load_shipped("support"))
    with pytest.raises(BadPipeline, match="line 5: runtime.prompt_cache"):
        parse(OFF.replace("false", "sometimes"), "mine.yaml")


def body_of(model: Model, is_on: bool, raw: bytes | None = None) -> dict:  # type: ignore[type-arg]
    with FakeServer(script=lambda body: Reply(raw=raw)) as server:
        url = server.base_url.removesuffix("/v1") if model.provider == "Anthropic" else server.base_url
        Gateway({model.provider: Connection(model.provider, "key", url)}, is_on).complete(ask(model, 5_000))
        return server.seen[-1]


def test_anthropic_is_sent_a_mark_only_where_it_is_on() -> None:
    assert body_of(SONNET, True, CLAUDE)["system"] == MARKED
    assert "cache_control" not in str(body_of(SONNET, False, CLAUDE))


def test_openai_s_models_that_charge_for_writing_are_still_told_to_write_nothing() -> None:
    """Without the option they would write each whole prompt, which costs more."""
    body = body_of(NEW, False)
    assert body["messages"][0]["content"] == "You draft."
    assert body["prompt_cache_options"] == {"mode": "explicit"}


def names(runtime: Runtime) -> list[str]:
    flow = replace(load_shipped("support"), runtime=runtime)
    router = make_router(flow, Settings(pins={s.key: "claude-sonnet-4-6" for s in flow.stages}))
    trace = run_all(make_agent(router), samples()["02-password-reset"], "kr-auto")
    return [lever.name for lever in levers(trace, router, bills(trace, router), 10_000)]


def test_a_ticket_s_waterfall_counts_it_only_where_it_is_on() -> None:
    assert names(Runtime())[-2:] == ["Prompt caching", "kr-auto, cached"]
    assert "Prompt caching" not in names(Runtime(prompt_cache=False))


def test_a_log_s_waterfall_counts_it_only_where_it_is_on() -> None:
    """Of four tickets at 2 USD one repeats: without the provider's cache, ours saves all of its 2 USD."""
    found = log_forecast(cached(made([4] * 4, [2] * 4, prompts=[7, 7, 8, 9]), 0.5), prompt_cache=False)
    assert found is not None
    by_name = {v.name: v.usd for v in log_levers(found, Assumptions(1_000))}
    assert "Prompt caching" not in by_name
    assert by_name["Repeated tickets, cached"] == D(-500)


def test_how_many_calls_write_goes_by_tickets_on_every_page() -> None:
    """A log whose tickets take three rounds each: the lever is that of one round of each, as in the bill and the caching box."""
    found = forecast(cached(made([4] * 4, [2] * 4, rounds=[3] * 4), 0.5))
    prefixes = found.spends["kr-auto"].prefixes
    n = 9_000
    lever = {v.name: v.usd for v in log_levers(found, Assumptions(n))}["Prompt caching"]
    assert lever == -(saved_usd(prefixes, n) * n).quantize(D("0.000001"))
    assert saved_usd(prefixes, n) != saved_usd(prefixes, 3 * n)


def test_the_priced_log_of_the_command_line_has_no_such_lever_where_it_is_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OFF, encoding="utf-8")
    with_it, without = (_levers(capsys, name) for name in ("support", str(path)))
    assert with_it - without == {"Prompt caching", "All in, both caches"}


def _levers(capsys: pytest.CaptureFixture[str], pipeline: str) -> set[str]:
    assert main(["price", str(SAMPLES / "log.csv"), "--pipeline", pipeline, "--json"]) == 0
    return {lever["name"] for lever in json.loads(capsys.readouterr().out)["month"]["levers"]}


@pytest.mark.parametrize("source", ["02-password-reset", str(SAMPLES / "log.csv")])
def test_a_report_s_month_says_what_it_changes(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OFF, encoding="utf-8")
    assert main(["report", source, "--volume", "200000"]) == 0
    said = capsys.readouterr().out.replace("\\", "")
    assert re.search(r"at 200,000 tickets a month, .*it takes \$[\d,.]+ off kr-auto's models", said)
    assert main(["report", source, "--volume", "200000", "--pipeline", str(path)]) == 0
    off = capsys.readouterr().out.replace("\\", "")
    assert "Prompt caching at the provider is off" in off
    with_it, without = (re.search(r"kr-auto would cost \$([\d,]+)", text) for text in (said, off))
    assert with_it is not None
    assert without is not None
    assert int(with_it[1].replace(",", "")) < int(without[1].replace(",", ""))
