"""The help centre and policies: complete, found, and refused in a sentence when broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import BadKnowledge
from playground.knowledge import Article, HelpCentre, load_articles, load_policies, sample_help_centre, sample_policies
from playground.pipeline import load_shipped


def test_the_sample_has_forty_articles_and_the_policies_the_stages_need() -> None:
    assert len(sample_help_centre().articles) >= 40
    assert len(sample_policies()) >= 10
    assert len({a.title for a in sample_help_centre().articles}) == len(sample_help_centre().articles)


@pytest.mark.parametrize(
    ("query", "article"),
    [
        ("we were charged twice this month", "duplicate-charge"),
        ("reset mail for my password never arrives", "reset-email-not-arriving"),
        ("the API answers 429 too many requests", "api-rate-limits"),
        ("wie lade ich meine Rechnung herunter", "download-invoices.de"),
    ],
)
def test_the_right_article_is_among_the_first_three(query: str, article: str) -> None:
    found = [p.id for p in sample_help_centre().retrieve(query, 3)]
    assert article in found


def test_a_query_that_matches_nothing_still_returns_passages() -> None:
    assert len(sample_help_centre().retrieve("שלום", 18)) == 18
    assert len(sample_help_centre().retrieve("", 5)) == 5


def test_more_than_there_are_returns_all() -> None:
    assert len(HelpCentre([Article("a", "A", "Text.")]).retrieve("text", 18)) == 1


def test_a_help_centre_without_articles_is_refused() -> None:
    with pytest.raises(BadKnowledge, match="no articles"):
        HelpCentre([])


@pytest.mark.parametrize(
    ("text", "words"), [("a: b", "a list"), ("- {id: x}", "each needs id, title and text"), ("- [", "line 1")]
)
def test_broken_policies_are_refused_in_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "policies.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadKnowledge, match=words):
        load_policies(path)


def test_an_article_without_a_head_takes_its_title_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "how-to-pay.md").write_text("Pay here.", encoding="utf-8")
    assert load_articles(tmp_path)[0].title == "How to pay"


def test_every_label_has_examples() -> None:
    text = (Path(__file__).resolve().parents[1] / "sample_tickets" / "intent_examples.csv").read_text(encoding="utf-8")
    labels = {line.rsplit(",", 1)[1] for line in text.strip().splitlines()[1:]}
    assert labels == set(load_shipped("support").labels)
