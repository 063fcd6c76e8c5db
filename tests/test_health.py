"""Breakers: when they open, who may probe, whose result counts, and clocks that jump."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from playground.errors import BadInput
from playground.health import COUNTED, LONGEST_ASKED_S, Breaker, Health, Permit, Standing, place_of
from playground.records import FailureKind, Model

BREAKER = Breaker(failures_to_open=3, cooldown_s=10, longest_cooldown_s=60)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(BREAKER, clock)


def permit(health: Health, place: str = "Acme", key: str = "") -> Permit:
    given = health.admit(place, key)
    assert isinstance(given, Permit), given
    return given


def refusal(health: Health, place: str = "Acme", key: str = "") -> Standing:
    given = health.admit(place, key)
    assert isinstance(given, Standing)
    return given


def fail(health: Health, times: int = 3, kind: FailureKind = "server", **more: float) -> None:
    for _ in range(times):
        health.failed(permit(health), kind, **more)


@pytest.mark.parametrize("kind", sorted(COUNTED))
def test_failures_in_a_row_open_it(health: Health, kind: FailureKind) -> None:
    fail(health, 2, kind)
    assert health.standing("Acme").state == "closed"
    fail(health, 1, kind)
    assert refusal(health) == Standing("open", 3, 10.0, kind)
    assert health.standing("Globex").state == "closed"


def test_a_success_between_starts_the_count_again(health: Health) -> None:
    fail(health, 2)
    health.succeeded(permit(health))
    fail(health, 2)
    assert health.standing("Acme").state == "closed"


def test_a_bad_request_is_not_the_provider_s_fault(health: Health) -> None:
    fail(health, 20, "bad_request")
    assert health.standing("Acme") == Standing("closed")


def test_after_the_cooldown_one_probe_at_a_time(health: Health, clock: Clock) -> None:
    fail(health)
    clock.now += 9.9
    assert refusal(health).wait_s == pytest.approx(0.1)
    clock.now += 0.2
    probe = permit(health)
    assert probe.probe
    assert refusal(health).state == "half-open"
    health.succeeded(probe)
    assert health.standing("Acme") == Standing("closed")
    assert not permit(health).probe


def test_a_failed_probe_doubles_the_cooldown_up_to_the_longest(health: Health, clock: Clock) -> None:
    fail(health)
    waits = []
    for _ in range(5):
        waits.append(health.standing("Acme").wait_s)
        clock.now += waits[-1]
        health.failed(permit(health), "timeout")
    assert waits == [10, 20, 40, 60, 60]
    clock.now += 60
    health.succeeded(permit(health))
    fail(health)
    assert health.standing("Acme").wait_s == 10


@pytest.mark.parametrize("kind", ["release", "bad_request"])
def test_a_probe_that_says_nothing_lets_the_next_one_in(health: Health, clock: Clock, kind: str) -> None:
    fail(health)
    clock.now += 10
    probe = permit(health)
    if kind == "release":
        health.release(probe)
    else:
        health.failed(probe, "bad_request")
    assert permit(health).probe


def test_results_of_calls_from_before_the_change_do_not_count(health: Health, clock: Clock) -> None:
    slow, late = permit(health), permit(health)
    fail(health)
    health.succeeded(slow)
    assert refusal(health).state == "open"
    clock.now += 10
    probe = permit(health)
    health.release(late)
    assert refusal(health).state == "half-open"
    health.failed(late, "server")
    health.succeeded(probe)
    assert health.standing("Acme").failures == 0


def test_a_wait_that_was_asked_for_is_kept_at_once(health: Health, clock: Clock) -> None:
    fail(health, 1, "rate_limit", retry_after_s=7.0)
    assert refusal(health) == Standing("open", 1, 7.0, "rate_limit")
    clock.now += 7
    assert permit(health).probe


def test_at_the_threshold_the_longer_wait_holds(health: Health, clock: Clock) -> None:
    fail(health, 1, "rate_limit", retry_after_s=1.0)
    clock.now += 1
    health.failed(permit(health), "rate_limit", 30.0)
    assert refusal(health).wait_s == 30


@pytest.mark.parametrize("asked_s", [1e9, float("inf")])
def test_nobody_is_waited_for_forever(health: Health, asked_s: float) -> None:
    fail(health, 1, "rate_limit", retry_after_s=asked_s)
    assert refusal(health).wait_s == LONGEST_ASKED_S


@pytest.mark.parametrize("asked_s", [0.0, -5.0, float("nan")])
def test_a_wait_that_is_none_is_ignored(health: Health, asked_s: float) -> None:
    fail(health, 1, "rate_limit", retry_after_s=asked_s)
    permit(health)


def test_a_refused_key_is_not_tried_again_until_it_is_another_one(health: Health, clock: Clock) -> None:
    health.failed(permit(health, key="one"), "auth")
    clock.now += 1e6
    assert refusal(health, key="one").state == "refused"
    assert not permit(health, key="two").probe
    health.bring_up("Acme")
    permit(health, key="one")


def test_a_model_that_a_key_may_not_use_is_left_alone_and_no_other_with_it(health: Health, clock: Clock) -> None:
    given = health.admit("Acme", "k", "pro")
    assert isinstance(given, Permit)
    health.failed(given, "no_access")
    assert health.admit("Acme", "k", "pro") == Standing("open", 0, LONGEST_ASKED_S, "no_access")
    for other in (health.admit("Acme", "k", "mini"), health.admit("Acme", "new key", "pro")):
        assert isinstance(other, Permit)
    clock.now += LONGEST_ASKED_S
    assert isinstance(health.admit("Acme", "k", "pro"), Permit)


def test_a_person_who_brings_a_provider_up_brings_its_models_up(health: Health) -> None:
    given = health.admit("Acme", "k", "pro")
    assert isinstance(given, Permit)
    health.failed(given, "no_access")
    health.bring_up("Acme")
    assert isinstance(health.admit("Acme", "k", "pro"), Permit)


def test_a_probe_at_a_model_that_is_not_allowed_lets_the_next_call_probe(health: Health, clock: Clock) -> None:
    fail(health)
    clock.now += 10
    given = health.admit("Acme", "", "pro")
    assert isinstance(given, Permit)
    assert given.probe
    health.failed(given, "no_access")
    assert permit(health).probe


def test_an_account_without_credit_is_left_for_long_and_then_probed(health: Health, clock: Clock) -> None:
    fail(health, 1, "no_credit")
    found = refusal(health)
    assert (found.state, found.wait_s) == ("open", LONGEST_ASKED_S)
    assert found.sentence("Acme") == "Acme is out of credit, so it was not asked. The next try is in 600 seconds."
    clock.now += LONGEST_ASKED_S
    assert permit(health).probe


def test_one_key_s_limit_is_not_another_s(health: Health) -> None:
    health.failed(permit(health, key="one"), "rate_limit", 60.0)
    assert refusal(health, key="one").state == "open"
    permit(health, key="two")


def test_a_person_switches_a_provider_off_and_on(health: Health) -> None:
    fail(health)
    health.take_down("Acme")
    assert refusal(health, key="any").state == "down"
    permit(health, "Globex")
    health.bring_up("Acme")
    assert permit(health) == Permit("Acme", "", 2)
    health.bring_up("Nobody")


def test_a_call_under_way_while_it_is_switched_changes_nothing(health: Health) -> None:
    before = [permit(health) for _ in range(3)]
    health.bring_up("Acme")
    for given in before:
        health.failed(given, "server")
    assert health.standing("Acme").state == "closed"


def test_a_clock_that_goes_back_waits_no_more_than_once_again(health: Health, clock: Clock) -> None:
    fail(health)
    clock.now -= 1e9
    assert refusal(health).wait_s == 10
    clock.now += 10
    assert permit(health).probe


def test_a_clock_that_leaps_ahead_only_ends_the_wait(health: Health, clock: Clock) -> None:
    fail(health)
    clock.now += 1e12
    assert permit(health).probe
    assert refusal(health).state == "half-open"


def test_threads_get_one_probe_between_them(health: Health, clock: Clock) -> None:
    fail(health)
    clock.now += 10
    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(lambda _: health.admit("Acme"), range(200)))
    assert sum(isinstance(g, Permit) for g in given) == 1


@pytest.mark.parametrize(
    ("stands", "words"),
    [
        (Standing("down"), "Acme is switched off, so it was not asked."),
        (Standing("refused"), "Acme refused the key, so it is not asked until there is another one."),
        (Standing("half-open"), "Acme is down, and another call is finding out whether it is back."),
        (Standing("open", 3, 6.6), "Acme is down, so it was not asked. The next try is in 7 seconds."),
    ],
)
def test_why_it_was_not_asked(stands: Standing, words: str) -> None:
    assert stands.sentence("Acme") == words


@pytest.mark.parametrize(
    "wrong",
    [
        {"failures_to_open": 0},
        {"cooldown_s": 0},
        {"cooldown_s": -1},
        {"cooldown_s": float("nan")},
        {"longest_cooldown_s": 1},
        {"longest_cooldown_s": float("inf")},
    ],
)
def test_figures_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="must be"):
        Breaker(**wrong)  # type: ignore[arg-type]


def test_a_place_is_an_endpoint_or_a_provider() -> None:
    model = Model("id", "m", "Acme", None, None, None)
    assert place_of(model) == "Acme"
    assert place_of(Model("id", "m", "Acme", None, None, None, endpoint="http://here/v1")) == "http://here/v1"


class Machine(RuleBasedStateMachine):
    """Any order of calls, results, waits, jumps and switches, against what must always hold."""

    out = Bundle("out")

    @initialize()
    def start(self) -> None:
        self.clock = Clock()
        self.health = Health(BREAKER, self.clock)
        self.probes: set[int] = set()
        self.numbered: dict[int, Permit] = {}
        self.down = self.refused = False

    @rule(target=out)
    def ask(self) -> int:
        stands, given = self.health.standing("A"), self.health.admit("A")
        number = len(self.numbered)
        if isinstance(given, Standing):
            assert given.state != "closed"
            return -1
        assert not self.down
        assert not self.refused
        assert given.probe == (stands.state == "half-open")
        assert not (given.probe and self.probes), "two probes at a time"
        assert stands.wait_s == 0
        self.numbered[number] = given
        if given.probe:
            self.probes.add(number)
        return number

    @rule(number=consumes(out), how=st.sampled_from(["ok", "release", "auth", "bad_request", "no_access", *sorted(COUNTED)]),
          asked=st.sampled_from([None, 0.0, 2.0, 1e9]))  # fmt: skip
    def ends(self, number: int, how: str, asked: float | None) -> None:
        if number < 0:
            return
        given, before = self.numbered[number], self.health.standing("A")
        current = self.health._line("A", "").turn == given.turn
        if how == "ok":
            self.health.succeeded(given)
        elif how == "release":
            self.health.release(given)
        else:
            self.health.failed(given, how, asked)  # type: ignore[arg-type]
        after = self.health.standing("A")
        if not current:
            assert after == before
        elif how == "ok" and not self.down:
            assert after == Standing("closed")
        elif how == "auth":
            self.refused = True
        elif given.probe and how in COUNTED and not self.down:
            assert after.state == "open"
        self.probes.discard(number)
        if after.state in ("closed", "open"):
            self.probes.clear()

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(seconds=st.floats(-1e7, 1e7))
    def jump(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def switch_off(self) -> None:
        self.health.take_down("A")
        self.down = True

    @precondition(lambda self: self.down or self.refused)
    @rule()
    def switch_on(self) -> None:
        self.health.bring_up("A")
        self.down = self.refused = False
        self.probes.clear()

    @invariant()
    def no_wait_is_endless(self) -> None:
        stands = self.health.standing("A")
        assert 0 <= stands.wait_s <= LONGEST_ASKED_S
        assert (stands.state == "open") == (stands.wait_s > 0)
        assert (stands.state == "down") == self.down
        if not self.down:
            assert (stands.state == "refused") == self.refused


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
