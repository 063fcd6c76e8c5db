"""The words around what is quoted from passages, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.language import Lang


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words around what is quoted from passages."""

    hello: str
    hello_name: str
    thanks: str
    one_by_one: str
    steps: str
    above: str
    unanswered: str
    vague: str
    details: tuple[str, str, str]
    then: str
    colleague: str
    colleague_too: str
    reply: str
    sign_off: str


PHRASES: Mapping[Lang, Phrases] = {
    "en": Phrases(
        hello="Hello,",
        hello_name="Hello {name},",
        thanks="Thank you for your message.",
        one_by_one="Let me take your {count} points one by one.",
        steps="These are the steps:",
        above="This is covered by another answer in this message.",
        unanswered="Our help centre has no answer to this.",
        vague="To help you, I need to know a little more:",
        details=(
            "What did you want to do, and on which page?",
            "What happens instead? Please copy the exact message, or attach a screenshot.",
            "Since when, and does it affect only you or everyone?",
        ),
        then="Simply reply to this message, and we go on from there.",
        colleague="A colleague takes over what is still open and replies to you here.",
        colleague_too="A colleague looks at your case as well and replies to you here.",
        reply="If anything is unclear, simply reply to this message.",
        sign_off="Kind regards,\nYour support team",
    ),
    "de": Phrases(
        hello="Guten Tag,",
        hello_name="Guten Tag {name},",
        thanks="vielen Dank für Ihre Nachricht.",
        one_by_one="Ich gehe Ihre {count} Punkte der Reihe nach durch.",
        steps="So gehen Sie vor:",
        above="Das beantwortet eine andere Stelle dieser Nachricht.",
        unanswered="Dazu steht nichts in unserem Hilfezentrum.",
        vague="Damit wir Ihnen helfen können, brauchen wir noch einige Angaben:",
        details=(
            "Was wollten Sie tun, und auf welcher Seite?",
            "Was geschieht stattdessen? Bitte kopieren Sie die genaue Meldung, oder fügen Sie ein Bildschirmfoto an.",
            "Seit wann ist das so, und betrifft es nur Sie oder alle?",
        ),
        then="Antworten Sie einfach auf diese Nachricht, dann machen wir von dort aus weiter.",
        colleague="Um alles, was noch offen ist, kümmert sich eine Kollegin oder ein Kollege und antwortet Ihnen hier.",
        colleague_too="Eine Kollegin oder ein Kollege sieht sich Ihren Fall ebenfalls an und antwortet Ihnen hier.",
        reply="Wenn etwas unklar ist, antworten Sie einfach auf diese Nachricht.",
        sign_off="Mit freundlichen Grüßen\nIhr Support-Team",
    ),
    "es": Phrases(
        hello="Hola:",
        hello_name="Hola, {name}:",
        thanks="Gracias por su mensaje.",
        one_by_one="Respondo a sus {count} puntos uno por uno.",
        steps="Estos son los pasos:",
        above="Otra respuesta de este mensaje resuelve también este punto.",
        unanswered="Nuestro centro de ayuda no responde a este punto.",
        vague="Para poder ayudarle, necesito algunos datos más:",
        details=(
            "¿Qué quería hacer y en qué página?",
            "¿Qué ocurre en su lugar? Copie el mensaje exacto o adjunte una captura de pantalla.",
            "¿Desde cuándo ocurre, y le afecta solo a usted o a todos?",
        ),
        then="Responda a este mensaje y seguiremos a partir de ahí.",
        colleague="Una persona de nuestro equipo se ocupa de lo que queda pendiente y le responderá aquí.",
        colleague_too="Una persona de nuestro equipo revisará también su caso y le responderá aquí.",
        reply="Si algo no queda claro, responda a este mensaje.",
        sign_off="Un saludo,\nSu equipo de soporte",
    ),
}
