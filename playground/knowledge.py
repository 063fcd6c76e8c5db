"""Help-centre articles and support policies: load, index with BM25, retrieve."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from playground.errors import BadKnowledge
from playground.records import Passage, Policy

if TYPE_CHECKING:
    import bm25s

SAMPLES = Path(__file__).resolve().parents[1] / "sample_tickets"
_WORD = re.compile(r"\w+")
_STOP = frozenset(
    "a an and are as at be but by can did do does for from has have how i if in is it its me my no not of on or our so "
    "that the their them then there they this to was we were what when which who will with would you your".split()
)


@dataclass(frozen=True, slots=True)
class Article:
    """One help-centre article; `keywords` help retrieval and are not shown."""

    id: str
    title: str
    text: str
    lang: str = "en"
    section: str = ""
    keywords: tuple[str, ...] = ()


class HelpCentre:
    """Articles with a BM25 index (Robertson and Zaragoza 2009; bm25s, method Lucene)."""

    def __init__(self, articles: Sequence[Article]) -> None:
        if not articles:
            raise BadKnowledge("The help centre has no articles. Add at least one Markdown file.")
        self.articles = tuple(articles)
        self._index = _build_index(self.articles)

    def retrieve(self, query: str, k: int) -> tuple[Passage, ...]:
        """The `k` best articles for a query, best first; ties and misses keep the articles' own order."""
        scores = self._scores([query])
        order = np.argsort(-scores, axis=1, kind="stable")[0, :k]
        return tuple(self._passage(int(i), float(scores[0, i])) for i in order)

    def rank(self, queries: Sequence[str], k: int) -> NDArray[np.int32]:
        """The numbers of the `k` best articles for each query, shaped (queries, k): the order that `retrieve` gives."""
        order = np.argsort(-self._scores(queries), axis=1, kind="stable")
        return np.asarray(order[:, :k], np.int32)

    def _scores(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """BM25 of every query and article: the sum of its words' weights, in their order, as bm25s adds them up."""
        known, weights = self._index.vocab_dict, self._weights
        found = [[known[w] for w in words_of(query) if w in known] for query in queries]
        nothing = np.zeros(len(self.articles), np.float32)
        rows = [weights[ids].sum(axis=0) if ids else nothing for ids in found]
        return np.array(rows, np.float32).reshape(len(rows), len(self.articles))

    @cached_property
    def _weights(self) -> NDArray[np.float32]:
        """The index as a table of words and articles; a few hundred articles take a few megabytes."""
        from scipy.sparse import csc_matrix

        scores = self._index.scores
        shape = (len(self.articles), len(scores["indptr"]) - 1)
        return np.ascontiguousarray(
            csc_matrix((scores["data"], scores["indices"], scores["indptr"]), shape).toarray().T
        )

    def _passage(self, index: int, score: float) -> Passage:
        article = self.articles[index]
        return Passage(article.id, article.title, article.text, round(score, 3))


def words_of(text: str) -> list[str]:
    """Lower-case words without stop words, a plural s stripped: what BM25 and the rehearsal match on."""
    words = (w for w in _WORD.findall(text.lower()) if w not in _STOP)
    return [w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in words]


def _build_index(articles: Sequence[Article]) -> bm25s.BM25:
    import bm25s

    # Title and keywords count more than the body: a reader searches by what an article is called.
    corpus = [words_of(f"{a.title} {a.title} {' '.join(a.keywords)} {a.text}") for a in articles]
    index = bm25s.BM25()
    index.index(corpus, show_progress=False)
    return index


@cache
def sample_help_centre() -> HelpCentre:
    """The fictional product's help centre."""
    return HelpCentre(load_articles(SAMPLES / "help_centre"))


@cache
def sample_policies() -> tuple[Policy, ...]:
    """The fictional product's support policies."""
    return load_policies(SAMPLES / "policies.yaml")


def load_articles(folder: Path) -> tuple[Article, ...]:
    """Every Markdown article of a folder, by name. Raises `BadKnowledge`."""
    return tuple(_article(path) for path in sorted(folder.glob("*.md")))


def load_policies(path: Path) -> tuple[Policy, ...]:
    """Support policies from a YAML list. Raises `BadKnowledge`."""
    data = _yaml(path.read_text(encoding="utf-8"), path.name)
    if not isinstance(data, list):
        raise BadKnowledge(f"{path.name}: policies are a list of mappings with id, title and text.")
    return tuple(_policy(item, path.name) for item in data)


def _policy(item: dict[str, Any], file: str) -> Policy:
    try:
        phrases = {k: tuple(str(p).lower() for p in item.get(k) or ()) for k in ("cues", "needs", "forbids")}
        add = {
            lang: str(item[key]) for lang, key in (("en", "add"), ("de", "add_de"), ("es", "add_es")) if item.get(key)
        }
        text = " ".join(str(item["text"]).split())
        return Policy(
            str(item["id"]), str(item["title"]), text, **phrases, add=add, escalate=bool(item.get("escalate"))
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadKnowledge(f"{file}: a policy lacks {error}; each needs id, title and text.") from None


def _article(path: Path) -> Article:
    head, body = split_front_matter(path.read_text(encoding="utf-8"), path.name)
    title = head.get("title") or path.stem.replace("-", " ").capitalize()
    keywords = tuple(str(k) for k in head.get("keywords") or ())
    return Article(path.stem, str(title), body, str(head.get("lang", "en")), str(head.get("section", "")), keywords)


def split_front_matter(text: str, file: str) -> tuple[dict[str, Any], str]:
    """A Markdown file's YAML head (empty if there is none) and its body. Raises `BadKnowledge`."""
    parts = text.split("---\n", 2)
    if not text.startswith("---\n") or len(parts) < 3:
        return {}, text.strip()
    head = _yaml(parts[1], file)
    if not isinstance(head, dict):
        raise BadKnowledge(f"{file}: the part between the --- lines must be key: value pairs.")
    return head, parts[2].strip()


def _yaml(text: str, file: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise BadKnowledge(f"{file}: line {mark.line + 1 if mark else 1}: this is not valid YAML.") from None
