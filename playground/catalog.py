"""Which models exist, who serves them, at which price, and what they do when no reasoning effort is asked for.

`data/models.csv` names the models; price, context and retirement come from `prices.entry`. Its `default_effort` is the
vendor's documented default, because that is what an unconfigured call is billed for. Read in November 2026:

- Anthropic (platform.claude.com, models and effort): thinking is on by default from generation 5. Fable 5 and 5.1,
  Opus 5, Sonnet 5 and 5.5 at high; Opus 5.5 and Haiku 5.5 at medium. Every 4.x model thinks only when asked: none.
- OpenAI (developers.openai.com, model pages; `default_reasoning_effort` in litellm's map): gpt-5, its mini and nano,
  o3 and o4-mini medium; gpt-5.1 to 5.4 none; gpt-5.5 and later medium again; gpt-4 models do not reason.
- Google (Gemini thinking guides): Gemini 4 Argon and 3.5 to 3.8 Flash medium; 3.1 Pro and 3 Flash high; the Flash-Lites
  of 3.1 and 3.5 minimal, of 2.5 none. The 2.5 models budget their own thinking: Pro is taken as medium, Flash as low.
- DeepSeek (api-docs.deepseek.com, thinking mode): V4 thinks at high unless told not to; V3.2 does not.
- xAI (docs.x.ai, reasoning): grok-4.5 to 4.7 high and never off, grok-4.3 low. grok-4.20 reasons without a scale:
  taken as medium.
- Alibaba: qwen3-max does not think unless asked; the 3.7 and 3.8 models do, without a scale: taken as medium.
- Mistral, Meta and Amazon: none unless asked.

"Taken as" marks a judgement where the vendor states no level.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import get_args

from playground.errors import BadModel
from playground.prices import entry, price_of
from playground.records import Candidate, Effort, Model

DATA = Path(__file__).parent / "data"
EFFORTS: tuple[Effort, ...] = get_args(Effort)
_COLUMNS = ["name", "id", "provider", "default_effort"]


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models that may be chosen, in the order they are shown."""

    models: tuple[Model, ...]

    def by_name(self, name: str) -> Model:
        """Find a model by its name, its litellm id, or `vendor/name`; `BadModel` names the nearest ones otherwise."""
        short = name.rpartition("/")[2]
        for wanted in (name, short):
            for model in self.models:
                if wanted in (model.name, model.id):
                    return model
        near = get_close_matches(short, [model.name for model in self.models], n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise BadModel(f"The catalogue has no model {name!r}.{hint}")

    def candidates(self, evidence_efforts: Mapping[str, Collection[Effort]] | None = None) -> tuple[Candidate, ...]:
        """List each model at its default, and at every effort given for its name or id, from least to most."""
        asked = evidence_efforts or {}
        return tuple(Candidate(model, effort) for model in self.models for effort in _efforts_of(model, asked))

    def with_model(self, model: Model) -> Catalog:
        """Add a model, or put it in the place of the one of that name."""
        if model.name not in (known.name for known in self.models):
            return replace(self, models=(*self.models, model))
        return replace(self, models=tuple(model if known.name == model.name else known for known in self.models))

    @property
    def providers(self) -> tuple[str, ...]:
        """Every provider once, in catalogue order."""
        return tuple(dict.fromkeys(model.provider for model in self.models))


@cache
def load_catalog() -> Catalog:
    """Load the shipped models with their prices."""
    return Catalog(tuple(_model(row) for row in read_models()))


def read_models(path: Path = DATA / "models.csv") -> Iterator[dict[str, str]]:
    """Read the rows of a models file; `BadModel` names the file, the line and what is wrong with it."""
    with path.open(encoding="utf-8", newline="") as file:
        rows, seen = csv.DictReader(file), set[str]()
        if rows.fieldnames != _COLUMNS:
            raise BadModel(f"{path.name} must start with the columns {', '.join(_COLUMNS)}.")
        for row in rows:
            where = f"{path.name}, line {rows.line_num}"
            if set(row) != set(_COLUMNS) or not all(row.values()):
                raise BadModel(f"{where}: every row needs {', '.join(_COLUMNS)}, and no more.")
            if row["default_effort"] not in EFFORTS[1:]:
                raise BadModel(f"{where}: default_effort must be one of {', '.join(EFFORTS[1:])}.")
            if row["name"] in seen:
                raise BadModel(f"{where}: {row['name']} is listed twice.")
            seen.add(row["name"])
            yield row


def reasoning_tokens(candidate: Candidate, typical_output_tokens: int) -> int:
    """Assume how many tokens a call thinks at this effort, before an answer of `typical_output_tokens`.

    "default" stands for what the model does by default. Thinking and answer share the model's output limit.
    """
    model = candidate.model
    effort = model.default_effort if candidate.effort == "default" else candidate.effort
    assumed = thinking_by_effort()[effort]
    if model.max_output_tokens is None:
        return assumed
    return min(assumed, max(model.max_output_tokens - typical_output_tokens, 0))


@cache
def thinking_by_effort() -> Mapping[Effort, int]:
    """Read the assumed thinking tokens per call from `data/efforts.toml`, which states their source."""
    tokens = tomllib.loads((DATA / "efforts.toml").read_text(encoding="utf-8"))["tokens"]
    return {effort: int(tokens[effort]) for effort in EFFORTS[1:]}


def _model(row: Mapping[str, str]) -> Model:
    known = entry(row["id"]) or {}
    retires = known.get("deprecation_date")
    return Model(
        id=row["id"],
        name=row["name"],
        provider=row["provider"],
        price=price_of(row["id"]),
        context_tokens=_whole(known.get("max_input_tokens")),
        max_output_tokens=_whole(known.get("max_output_tokens")),
        retires_on=date.fromisoformat(retires) if retires else None,
        prompt_cache_min_tokens=_whole(known.get("prompt_cache_min_tokens")),
        default_effort=next(effort for effort in EFFORTS if effort == row["default_effort"]),
    )


def _efforts_of(model: Model, asked: Mapping[str, Collection[Effort]]) -> list[Effort]:
    wanted = {"default", *asked.get(model.name, ()), *asked.get(model.id, ())}
    return [effort for effort in EFFORTS if effort in wanted]


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None
