"""The language of a text, and the words of each language that are no topic.

Languages are English, German and Spanish; a text in another one is split and matched all the same, and is called English,
the language it will be answered in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

READ_CHARS = 20_000
"""Read from a ticket's beginning: what follows makes it no other language, and no harder."""

Lang = Literal["en", "de", "es"]
LANGUAGES: tuple[Lang, ...] = ("en", "de", "es")
_STOP: Mapping[Lang, frozenset[str]] = {
    "en": frozenset(
        "a about after again all also am an and any anything are as ask at be because been before being both but by "
        "can cannot cant could dear did didn didnt do does doesn doesnt doing don dont each else ever everything far "
        "few for from get gets getting give given go going good got had has have having hello help her here hi him "
        "his how i if im in into is isn it its itself just kind know last let like ll long look made make many may "
        "maybe me mean might more most much must my need needs new no nor not nothing now of off on once one only or "
        "other our out over own part please possible put question quite rather re really regards right said same say "
        "see seem shall she should since so some something still such sure take tell than thank thanks that the their "
        "them then there these they thing things this those though through to too two under until up us use used "
        "using ve very want wants was way we well went were what when where whether which while who whom whose why "
        "will with within without won would yes yet you your".split()
    ),
    "de": frozenset(
        "ab aber alle allem allen aller allerdings als also am an auch auf aus außerdem bei bin bis bitte brauche braucht "
        "brauchen da dafür damit dann das dass dazu dem den denn der des deshalb die dies diese diesem diesen dieser "
        "dieses direkt doch dort du durch ein eine einem einen einer eines er es etwas euch für gehen geht gern gibt "
        "guten habe haben hallo hat hatte hätte hier ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in inzwischen ist "
        "ja jede jetzt kann kein keine keinen können könnte könnten man mehr mein meine meinem meinen meiner mich mir "
        "mit möchte möchten möglich muss müssen nach nicht nichts noch nun nur ob obwohl oder ohne schon sehr seit sein "
        "seine sich sie sind so soll sollen sondern tag über um und uns unser unsere unserem unseren unserer unter viel "
        "viele vielen vom von vor war warum was weil wenn wer werden wie wieder wir wird wo worden wurde wurden zu zum "
        "zur".split()
    ),
    "es": frozenset(
        "a además ahora al algo alguien allí antes aquí así aún aunque ayuda buenas bueno buenos cada como cómo con cual "
        "cuál cuando cuándo cuánto de del desde donde dónde e el él ella ellos en entonces entre era es esa esas ese eso "
        "esos esta está están este esto estos estoy favor fue gracias ha hace hacer han hasta hay he hemos hola hoy la "
        "las le les lo los más me mi mis mismo muchas mucho muy nada necesita necesito ni no nos nosotros nuestra "
        "nuestro nuevo o para pero poco podemos poder podría por porque puede pueden puedo pues que qué quería quién "
        "quiero quisiera se según ser si sí sido siempre sin sobre solo son soy su sus también tampoco tan te tengo "
        "tenemos tiene tienen toda todas todavía todo todos tras tu un una unas uno unos usted ustedes va verdad vez y "
        "ya yo".split()
    ),
}
# When something happened, how long it took and in which order it is told are no topics either.
_WHEN = frozenset(
    "day days month months year years tag tage tagen monat monate monaten jahr jahre día días mes meses año años "
    "january february march april june july august september october november december monday tuesday wednesday thursday "
    "friday saturday sunday today yesterday tomorrow morning noon first second third next januar februar märz mai juni juli "
    "oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag heute gestern morgen enero febrero marzo "
    "mayo junio julio agosto septiembre octubre noviembre diciembre lunes martes miércoles jueves viernes sábado domingo "
    "ayer mañana".split()
)
NO_TOPIC = _WHEN.union(*_STOP.values())
_LETTERS: Mapping[Lang, re.Pattern[str]] = {"de": re.compile("[äöüß]"), "es": re.compile("[ñ¿¡áíóú]")}
_RAW_WORD = re.compile(r"[^\W\d_]+")

OF_ANOTHER = frozenset().union(*(_STOP[lang] - _STOP["en"] for lang in LANGUAGES if lang != "en"))
"""Words that speak for another language than English: a text without one, and without a letter of its own, is English."""


def language_of(text: str) -> Lang:
    """The language with the most stop words and letters of its own in the text; English where there are none."""
    head = text[:READ_CHARS].lower()
    words = Counter(_RAW_WORD.findall(head))
    hits = {lang: sum(n for w, n in words.items() if w in _STOP[lang]) for lang in LANGUAGES}
    for lang, letters in _LETTERS.items():
        hits[lang] += len(letters.findall(head))
    return max(LANGUAGES, key=lambda lang: hits[lang])


def languages_of(texts: Sequence[str]) -> list[Lang]:
    """The same for thousands of texts at a time. Most are soon seen to be English, and only the rest is counted word by word."""
    found: list[Lang] = ["en"] * len(texts)
    low = [f" {text[:READ_CHARS].lower()} " for text in texts]
    for row in _may_be_foreign(low) if texts else ():
        found[row] = language_of(low[row])
    return found


def _may_be_foreign(low: Sequence[str]) -> list[int]:
    """Texts in which words of other languages may outweigh English ones.

    Words that both share weigh the same on either side. Of words in a row every second may be missed here, so there are at most
    twice as many foreign ones as are found, and at least as many English ones.
    """
    import numpy as np
    import pyarrow
    import pyarrow.compute as arrow

    column = pyarrow.array(low, pyarrow.string())
    english, foreign = (arrow.count_substring_regex(column, pattern).to_numpy() for pattern in _weighed())
    letters = sum(arrow.count_substring_regex(column, p.pattern).to_numpy() for p in _LETTERS.values())
    return [int(row) for row in np.flatnonzero(2 * foreign + letters > english)]


@cache
def _weighed() -> tuple[str, str]:
    """Words that speak for English alone, and for another language alone, each between what is no letter."""
    english = _STOP["en"].difference(*(_STOP[lang] for lang in LANGUAGES if lang != "en"))
    apart = r"[^\p{L}\p{Nl}\p{No}]"
    both = ("|".join(sorted(words)) for words in (english, OF_ANOTHER))
    first, second = (f"{apart}(?:{words}){apart}" for words in both)
    return first, second
