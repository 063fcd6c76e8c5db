"""What a judge looks at and the prompt it reads: a YAML file that may be edited; a change gives it another version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.errors import BadInput, BadPipeline
from playground.pipeline_file import located, read
from playground.templates import variables

SHIPPED = Path(__file__).parents[1] / "data" / "judge.yaml"
SYSTEM = ("criteria", "policies", "form")
USER = ("stage", "subject", "ticket", "passages", "answer_a", "answer_b")
_NEEDED = {"system": {"criteria", "form"}, "user": {"ticket", "answer_a", "answer_b"}}
_ALLOWED = {"system": SYSTEM, "user": USER}
_KEYS = "name, criteria, system and user"
MAX_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class Rubric:
    """Criteria with what each means, and the two messages of the prompt. `source` is the text to show in an editor."""

    name: str
    criteria: Mapping[str, str]
    system: str
    user: str
    source: str = field(default="", compare=False)

    @property
    def version(self) -> str:
        """Twelve characters that change with what a judge reads, and with nothing else."""
        text = json.dumps([list(self.criteria.items()), self.system, self.user], ensure_ascii=False)
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


_Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
_Text = Annotated[str, Field(min_length=1)]


class _RubricFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    criteria: dict[_Key, _Text] = Field(min_length=1, max_length=8)
    system: _Text
    user: _Text


@cache
def shipped_rubric() -> Rubric:
    """The rubric that comes with the app."""
    return parse_rubric(SHIPPED.read_text(encoding="utf-8"), SHIPPED.name)


def parse_rubric(text: str, file: str = "rubric") -> Rubric:
    """A rubric from YAML text. Raises `BadInput` that names file, line, key and what is allowed."""
    data = _mapping(text, file)
    try:
        checked = _RubricFile.model_validate(data)
    except ValidationError as error:
        raise BadInput(_explain(error, text, file)) from None
    if "overall" in checked.criteria:
        where = located(text, file, ("criteria", "overall"))
        raise BadInput(f"{where}: the overall winner is always asked for. Choose another name.")
    for part in ("system", "user"):
        _check_slots(part, getattr(checked, part), located(text, file, (part,)))
    return Rubric(checked.name, checked.criteria, checked.system, checked.user, text)


def _mapping(text: str, file: str) -> dict[str, Any]:
    if len(text) > MAX_CHARS:
        raise BadInput(f"{file}: {len(text):,} characters; a rubric may have at most {MAX_CHARS:,}.")
    if _is_no_mapping(text):
        raise BadInput(f"{file}: line 1: a rubric is a mapping with the keys {_KEYS}.")
    try:
        return read(text, file)
    except BadPipeline as error:
        raise BadInput(str(error)) from None


def _is_no_mapping(text: str) -> bool:
    try:
        return not isinstance(yaml.compose(text, Loader=yaml.SafeLoader), yaml.MappingNode)
    except (yaml.YAMLError, RecursionError):
        return False  # `read` says what is wrong


def _explain(error: ValidationError, text: str, file: str) -> str:
    # A misspelt key is also reported as missing; the misspelling is what the user can see.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    where = located(text, file, [str(p) for p in first["loc"] if p != "[key]"])
    said = {"extra_forbidden": f"unknown key; allowed here: {_KEYS}", "missing": "missing; it is needed"}
    return f"{where}: {said.get(first['type'], first['msg'])}."


def _check_slots(part: str, template: str, where: str) -> None:
    used, allowed = variables(template), _ALLOWED[part]
    names = ", ".join("{{ " + v + " }}" for v in allowed)
    if unknown := sorted(used - set(allowed)):
        raise BadInput(f"{where}: {{{{ {unknown[0]} }}}} does not exist here. Allowed: {names}.")
    if missing := sorted(_NEEDED[part] - used):
        raise BadInput(f"{where}: {{{{ {missing[0]} }}}} is missing; without it a judge cannot decide. Add it.")
