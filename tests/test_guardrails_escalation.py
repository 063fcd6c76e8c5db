"""Policies are enforced on the ticket's own words and on the model's output, and either is enough."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from playground import tickets
from playground.errors import BadInput
from playground.guardrails import Escalation
from playground.guardrails.topics import escalating, grants_access, is_legal, needs_identity
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.records import Policy, Request, Ticket, Trace, Turn
from playground.workshop import make_agent, make_router
from tests.scripted import TICKET, Scripted, good, make

PLAIN = Ticket("t", "How do I export my hours?", "Export")


def changed(stage: str, **fields: object) -> Callable[[Request], str]:
    """Changes fields of a stage's output, or replaces its text."""

    def answer(request: Request) -> str:
        if request.prompt.stage == "intent" and stage != "intent":
            return json.dumps({"label": "feature_how_to", "language": "en", "confidence": 0.9})
        if request.prompt.stage != stage:
            return good(request)
        return str(fields["text"]) if "text" in fields else json.dumps({**json.loads(good(request)), **fields})

    return answer


def run(
    ticket: Ticket = PLAIN, answer: Callable[[Request], str] | None = None, part: Escalation | None = None
) -> Trace:
    answers = Scripted(answer or changed("none"))
    return run_all(replace(make(answers), middleware=(part or Escalation(),)), ticket, "kr-auto")


LEGAL = [
    "My lawyer will write to you.", "We will see you in court.", "I will file a chargeback.",
    "I am going to dispute this payment.", "I will tell the ombudsman.",
    "This is a GDPR complaint.", "I report you to the data protection authority.", "My card company will reverse both payments.",
    "We are suing.",
    "Mein Anwalt meldet sich.", "Ich gehe vor Gericht.", "Ich melde das der Verbraucherzentrale.", "Beschwerde nach DSGVO.",
    "Ich veranlasse eine R\u00fcckbuchung.",
    "Mon avocat vous \u00e9crira.", "Je saisis le tribunal.", "Je vais porter plainte.", "Je signale cela \u00e0 la CNIL.",
    "Mi abogado le escribir\u00e1.", "Voy a demandar.", "Lo denuncio ante la AEPD.", "Emprender\u00e9 acciones legales.",
]  # fmt: skip
IDENTITY = [
    "Please change my email address to a@b.example.", "Please update the owner of the workspace.",
    "I lost my phone and need my two-factor reset.",
    "Please disable 2FA for me.", "Can I get a recovery code?", "I need access to my colleague's account.",
    "Someone else has logged in.", "We were hacked.",
    "Please transfer ownership to me.", "I write on behalf of the owner.", "Make me the owner.",
    "Bitte \u00e4ndern Sie meine E-Mail-Adresse.", "Ich habe mein Handy verloren, Zwei-Faktor zur\u00fccksetzen bitte.",
    "Der Inhaber soll wechseln.",
    "Merci de changer mon adresse e-mail.", "J'ai perdu mon t\u00e9l\u00e9phone et la double authentification.",
    "Mon compte est pirat\u00e9.",
    "Quiero cambiar el correo de la cuenta.", "Perd\u00ed mi tel\u00e9fono y tengo doble factor.", "Hay un acceso no autorizado.",
]  # fmt: skip
NEITHER = [
    "How do I export my hours?", "The invoice is wrong.", "Wo finde ich die Rechnung?", "Wie \u00e4ndere ich meinen Tarif?",
    "O\u00f9 est ma facture ?",
    "\u00bfC\u00f3mo exporto mis horas?", "The courtyard project is empty.", "Please add a seat.",
    "The justification field is gone.", "My reset email never arrives.",
]  # fmt: skip


@pytest.mark.parametrize("text", LEGAL)
def test_a_ticket_that_speaks_of_the_law_goes_to_a_person(text: str) -> None:
    trace = run(Ticket("t", text))
    assert trace.handover is not None
    assert (trace.handover.rule, trace.served) == ("legal", None)


@pytest.mark.parametrize("text", IDENTITY)
def test_a_ticket_about_who_somebody_is_goes_to_a_person(text: str) -> None:
    trace = run(Ticket("t", text))
    assert trace.handover is not None
    assert (trace.handover.rule, trace.served) == ("identity", None)


@pytest.mark.parametrize("text", NEITHER)
def test_other_tickets_do_not(text: str) -> None:
    assert not is_legal(Ticket("t", text))
    assert not needs_identity(Ticket("t", text))
    assert run(Ticket("t", text)).served is not None


def test_words_count_however_they_are_written() -> None:
    assert is_legal(Ticket("t", "My l\u200bawyer will write."))
    assert is_legal(Ticket("t", "see text", "MY LAWYER"))
    assert is_legal(Ticket("t", "x", turns=(Turn("customer", "Hello."), Turn("customer", "My lawyer will write."))))
    assert not is_legal(Ticket("t", "x", turns=(Turn("customer", "Hello."), Turn("agent", "Do you have a lawyer?"))))


def test_a_verified_sender_may_ask_for_access() -> None:
    assert run(Ticket("t", IDENTITY[0]), part=Escalation(verified=lambda ticket: True)).served is not None


def test_a_label_of_the_model_is_enough_for_identity() -> None:
    trace = run(answer=changed("intent", label="account_access_security"))
    assert trace.handover is not None
    assert trace.handover.rule == "identity"


ACCESS = [
    "I have changed the email address of your account.", "We've reset your two-factor authentication.",
    "I transferred ownership to you.", "Your password has been reset.", "Your new password is swordfish.",
    "Ich habe die E-Mail-Adresse ge\u00e4ndert.", "Nous avons r\u00e9initialis\u00e9 votre mot de passe.",
    "Hemos cambiado el correo de la cuenta.",
]  # fmt: skip


@pytest.mark.parametrize("text", ACCESS)
def test_an_answer_that_grants_access_is_not_served(text: str) -> None:
    assert grants_access(text)
    trace = run(answer=changed("respond", text=f"Hello. {text}"))
    assert trace.handover is not None
    assert (trace.handover.rule, trace.handover.withheld, trace.served) == ("identity", True, None)


@pytest.mark.parametrize(
    "text",
    [
        "You can change your email under Settings.",
        "To reset your password, open the sign-in page.",
        "We never change an address.",
        "I will update you via email.",
        "I recommend changing your password.",
    ],
)
def test_an_answer_that_explains_is(text: str) -> None:
    assert not grants_access(text)


@pytest.mark.parametrize("stage", ["draft", "respond"])
def test_a_promise_above_the_limit_is_not_served(stage: str) -> None:
    said = "We have refunded $5,000 to your card."
    answer = changed("draft", answer=f"{said} [a3]") if stage == "draft" else changed("respond", text=said)
    trace = run(answer=answer)
    assert trace.handover is not None
    assert (trace.handover.rule, trace.served) == ("refund limit", None)
    assert trace.handover.withheld is (stage == "respond")
    name = "draft" if stage == "draft" else "answer"
    assert trace.handover.reason == f"The {name} promises USD 5,000.00, above the limit of USD 50.00."


def test_the_limit_comes_from_the_configuration() -> None:
    answer = changed("respond", text="We have refunded $200 to your card.")
    assert run(answer=answer, part=Escalation({"USD": Decimal(200)})).served is not None
    assert run(answer=answer, part=Escalation({"USD": Decimal("199.99")})).served is None
    assert run(answer=answer, part=Escalation({"EUR": Decimal(5000)})).served is None


def test_what_a_ticket_asks_for_is_enough() -> None:
    trace = run(Ticket("t", "Please refund my annual plan, $948."))
    assert trace.handover is not None
    assert trace.handover.reason == "The customer asks for USD 948.00, above the limit of USD 50.00."
    assert [s.stage for s in trace.steps] == ["intent", "rerank", "draft", "summarise"]


def test_the_check_may_ask_for_a_person_and_may_not_take_it_back() -> None:
    asks = run(answer=changed("check", escalate=True))
    assert asks.handover is not None
    assert asks.handover.rule == "check"
    assert run(answer=changed("check", escalate=False)).served is not None
    assert run(Ticket("t", "My lawyer will write."), changed("check", escalate=False)).served is None


def test_a_policy_that_asks_for_a_person_does_so_by_its_cues() -> None:
    cued, always = Policy("P7", "Press", "x", ("journalist",), escalate=True), Policy("P8", "All", "x", escalate=True)
    quiet = Policy("P9", "Tone", "x", ("journalist",))
    ticket = Ticket("t", "I am a Journalist.")
    assert escalating(ticket, (quiet, cued)) == cued
    assert escalating(PLAIN, (quiet, cued)) is None
    assert escalating(PLAIN, (quiet, always)) == always
    assert escalating(Ticket("t", "photojournalist"), (cued,)) is None


def test_the_samples_that_policies_leave_to_people_go_to_people() -> None:
    agent = replace(make_agent(make_router(load_shipped("support"))), middleware=(Escalation(),))
    handed = {n: run_all(agent, t, "kr-auto").handover for n, t in tickets.samples().items()}
    assert {n[:2]: h.rule for n, h in handed.items() if h} == {
        "01": "refund limit",
        "04": "refund limit",
        "06": "identity",
        "10": "refund limit",
        "11": "legal",
    }


@pytest.mark.parametrize("limit", [Decimal(-1), Decimal("nan"), Decimal("inf")])
def test_a_limit_that_is_no_sum_is_refused(limit: Decimal) -> None:
    with pytest.raises(BadInput, match="Refund limit in USD"):
        Escalation({"USD": limit})


@pytest.mark.parametrize("currency", ["usd", "$", "", "DOLLAR"])
def test_a_currency_that_is_none_is_refused(currency: str) -> None:
    with pytest.raises(BadInput, match="is no currency"):
        Escalation({currency: Decimal(50)})


def test_a_limit_of_zero_leaves_every_refund_to_people() -> None:
    answer = changed("respond", text="We have refunded $0.01 to your card.")
    assert run(answer=answer, part=Escalation({"USD": Decimal(0)})).served is None


def test_the_scripted_ticket_names_no_sum() -> None:
    assert run(TICKET).served is not None
