"""What a ticket is about that policies leave to people: the law, and who somebody is. English, German, French and Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playground.difficulty import TOPICS
from playground.guardrails.readings import opened
from playground.records import Policy, Ticket


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE)


_MAIL = r"e-?mails?(?:[ -]?ad(?:d)?ress\w*)?|mail ?ad(?:d)?ress\w*"
_CHANGES = r"(?:change|update|replace|switch|correct|move)\w*"
_OWNS = r"(?:owner(?:ship)?|admin(?:istrator)?)"
_FACTOR = r"(?:2fa|mfa|two[ -]?(?:factor|step)\w*|authenticator\w*|second factor|one-time codes?)"

LEGAL = _words(
    TOPICS["legal"],
    r"lawyers?|attorneys?|solicitors?|barristers?|legal (?:action|steps?|team|department|counsel|proceedings|advice)|sue|suing|lawsuits?|courts?|"
    r"tribunals?|small claims|litigation|subpoena|cease and desist|ombuds\w+|regulators?|regulatory authority|consumer (?:protection|rights|agency)|"
    r"trading standards|better business bureau|ftc|cfpb|ico|attorney general|data protection (?:authority|commission\w*|officer|act|request)|ccpa|"
    r"supervisory authority|charge-?backs?|charge back|dispute (?:the|this|these|both|it|my|our)|payment disputes?|police|fraud report|"
    r"(?:bank|card company|card issuer|credit card company)\b.{0,30}\brevers\w+",
    r"anw[aä]lt\w*|rechtsanw[aä]lt\w*|rechtliche\w* schritte|rechtsweg|gericht\w*|klage\w*|verklag\w*|anzeige erstatten|strafanzeige|polizei|"
    r"verbraucher(?:zentrale|schutz)\w*|schlichtungsstelle|aufsichtsbehörde|datenschutz(?:behörde|beauftragte\w*|beschwerde|aufsicht)|bafin|bundesnetzagentur|"
    r"mahnbescheid|rückbuch\w*|rücklastschrift|abmahnung",
    r"avocate?s?|tribuna(?:l|ux)|justice|porter plainte|plainte|poursuites?|mise en demeure|huissier|médiateur|cnil|rgpd|dgccrf|"
    r"action en justice|rétrofacturation|contester (?:le|ce|la|les)|répression des fraudes|autorité de contrôle",
    r"abogad[oa]s?|demand(?:a|ar|aré|aremos)|denunci\w+|tribunales|juzgado|juicio|acciones legales|vía judicial|defensor del (?:pueblo|consumidor)|"
    r"aepd|agencia de protección de datos|rgpd|oficina del consumidor|hoja de reclamaciones|contracargo|retroceso del cargo|policía",
)  # fmt: skip
"""Lawyers, courts, authorities, the police, and payments that a bank is to reverse."""

IDENTITY = _words(
    TOPICS["security"],
    rf"{_CHANGES}\b.{{0,40}}\b(?:{_MAIL}|{_OWNS}|sign-?in|login|phone number)|new (?:{_MAIL})|(?:{_MAIL})\b.{{0,30}}\b(?:back|changed)|"
    rf"transfer\w*\b.{{0,30}}\b{_OWNS}|{_OWNS}\b.{{0,30}}\b(?:left|gone|died|transfer\w*|change\w*)|make me (?:the |an )?{_OWNS}|"
    rf"(?:reset|disable|remove|turn off|switch off|bypass|lost|without)\b.{{0,40}}\b{_FACTOR}|{_FACTOR}\b.{{0,40}}\b(?:reset|disable\w*|remove\w*|lost|off)|"
    r"(?:lost|stolen|new|broken) (?:my )?(?:phone|authenticator)\b.{0,60}\b(?:code|sign|log|factor)\w*|recovery codes?|backup codes?|"
    r"(?:access|log ?in|sign ?in)\w*\b.{0,30}\b(?:husband|wife|partner|colleague|boss|employee|ex|mother|father|son|daughter|friend|someone else|another)\w*(?:'s)?|"
    r"(?:husband|wife|colleague|boss|ex-?\w+|employee)'s account|on behalf of|took over|taken over|not (?:me|us)|unknown device",
    rf"(?:{_MAIL})\b.{{0,40}}\b(?:änder\w*|umstell\w*|zurücksetz\w*)|änder\w*\b.{{0,40}}\b(?:{_MAIL}|inhaber\w*)|neue (?:{_MAIL})|"
    r"inhaber\w*\b.{0,30}\b(?:wechsel\w*|änder\w*|übertrag\w*)|(?:zwei-?faktor|2fa|authenticator)\w*\b.{0,40}\b(?:zurücksetz\w*|deaktivier\w*|verloren|ausschalt\w*)|"
    r"(?:handy|telefon) verloren|fremder zugriff|unbekanntes gerät|im namen von|zugriff auf (?:das|den|ihr|sein)\w* konto|wiederherstellungscodes?",
    rf"(?:chang|modifi|remplac)\w*\b.{{0,40}}\b(?:adresse|e-?mail|propriétaire|courriel)|nouvelle adresse|transf[ée]r\w*\b.{{0,30}}\bpropriété|"
    r"(?:double authentification|double facteur|deux facteurs|2fa)|perdu mon téléphone|piraté\w*|usurpation|au nom de|codes? de (?:récupération|secours)|"
    r"quelqu'un d'autre|appareil inconnu|accès non autorisé",
    r"cambi\w+\b.{0,40}\b(?:correo|propietari\w+|e-?mail)|nuevo correo|transferir\b.{0,30}\bpropiedad|(?:doble factor|dos factores|2fa|verificación en dos pasos)|"
    r"perd[ií] (?:el|mi) (?:teléfono|móvil)|acceso no autorizado|dispositivo desconocido|en nombre de|suplant\w+|códigos? de (?:recuperación|respaldo)|hackead[oa]",
)  # fmt: skip
"""A change of e-mail address or owner, a second factor to reset, an account that is somebody else's."""

_DONE = _words(
    rf"(?:i|we)(?:'ve|'ll| have| had| will| just| now| can)*\s(?:\w+\s){{0,2}}(?:chang|updat|reset|disabl|remov|transferr?|unlock|restor|turn|grant|replac|switch)\w*\b"
    rf".{{0,60}}\b(?:{_MAIL}|{_OWNS}|{_FACTOR}|password|access|account|sign-?in|login)",
    rf"(?:{_MAIL}|{_OWNS}|{_FACTOR}|password)\b.{{0,30}}\b(?:has|have) been (?:chang|updat|reset|disabl|remov|transferr)\w*",
    rf"(?:ich habe|wir haben|wurde)\b.{{0,60}}(?:{_MAIL}|inhaber\w*|zwei-?faktor\w*|passwort|zugang|konto)\b.{{0,40}}(?:geändert|zurückgesetzt|deaktiviert|übertragen|entsperrt)",
    r"(?:j'ai|nous avons)\s(?:\w+\s){0,2}(?:changé|modifié|réinitialisé|désactivé|transféré|débloqué)",
    r"(?:he|hemos)\s(?:\w+\s){0,2}(?:cambiado|modificado|restablecido|desactivado|transferido|desbloqueado)",
)  # fmt: skip


def is_legal(ticket: Ticket) -> bool:
    """Whether a ticket speaks of the law."""
    return LEGAL.search(_text(ticket)) is not None


def needs_identity(ticket: Ticket) -> bool:
    """Whether a ticket asks for something that only the right person may be given."""
    return IDENTITY.search(_text(ticket)) is not None


def grants_access(answer: str) -> bool:
    """Whether an answer says that an account was changed."""
    return _DONE.search(_flat(opened(answer))) is not None


def escalating(ticket: Ticket, policies: Iterable[Policy]) -> Policy | None:
    """The first policy that asks for a person and whose cues the ticket holds; one without cues always asks."""
    said = _text(ticket).lower()
    return next((p for p in policies if p.escalate and (not p.cues or any(_begins_word(c.lower(), said) for c in p.cues))), None)


def _begins_word(cue: str, said: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(_flat(cue))}", said) is not None


def _text(ticket: Ticket) -> str:
    written = [t.text for t in ticket.turns if t.role == "customer"] or [ticket.text]
    return _flat(opened("\n".join([ticket.subject, *written])))


def _flat(text: str) -> str:
    return text.replace("\u2019", "'")
