"""The file behind a pipeline: reading YAML, its shape, and errors that name file, line, key and what is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.errors import BadPipeline
from playground.runtime import Runtime, names_at

SHIPPED = Path(__file__).parent / "pipelines"
_REFERENCE = re.compile(r'"\$(ref|dynamicRef|recursiveRef|id|schema)":')
Tier = Literal["cheap", "mid", "frontier"]
Check = Literal["label_known", "scores_complete", "citations_present", "policies_known", "no_citation_marks"]


def shipped() -> tuple[str, ...]:
    """Names of the pipelines that come with the app."""
    return tuple(sorted((p.stem for p in SHIPPED.glob("*.yaml")), reverse=True))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _PromptFile(_Strict):
    system: str = Field(min_length=1)
    user: str = Field(min_length=1)


class _OutputFile(_Strict):
    kind: Literal["text", "json"]
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    checks: list[Check] = []


Share = Annotated[float, Field(ge=0, le=1)]
Tokens = Annotated[int, Field(ge=1, le=1_000_000)]


class StageFile(_Strict):
    """One stage as it stands in a file."""

    key: Literal["intent", "rerank", "draft", "check", "respond", "summarise"]
    title: str = Field(min_length=1, max_length=60)
    calls: int = Field(ge=1, le=20)
    prompt: _PromptFile
    output: _OutputFile
    typical_output_tokens: Tokens
    max_output_tokens: Tokens
    before: str = Field(min_length=1)
    tier: Tier
    bar: Share
    margin: Annotated[float, Field(gt=0, lt=1)]
    reference: str | None = None
    typical_input_tokens: Tokens | None = None
    timeout_s: Annotated[float, Field(gt=0, le=600)] | None = None
    """For each call of it; the pipeline's where it says nothing."""


class _TiersFile(_Strict):
    cheap: str
    mid: str
    frontier: str


class PipelineFile(_Strict):
    """A whole pipeline as it stands in a file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    title: str = Field(min_length=1, max_length=80)
    version: str = Field(default="1", min_length=1, max_length=40)
    extends: str | None = None
    retrieve: int = Field(ge=1, le=100)
    keep: int = Field(ge=1, le=50)
    timeout_s: float = Field(default=60, gt=0, le=600)
    tiers: _TiersFile
    labels: dict[str, str] = Field(min_length=2)
    stages: list[StageFile]
    runtime: Runtime = Field(default_factory=Runtime)


def read(text: str, file: str) -> dict[str, Any]:
    """The mapping in a YAML text. Raises `BadPipeline`."""
    try:
        data = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadPipeline(f"{file}: line {line}: this is not valid YAML ({error.problem}).") from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError):
        raise BadPipeline(f"{file}: this is not valid YAML.") from None
    if not isinstance(data, dict):
        raise BadPipeline(f"{file}: a pipeline is a mapping with the keys {_allowed(PipelineFile)}.")
    return data


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, and aliases: a few of those can unfold into more than memory holds."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.get_event()  # type: ignore[no-untyped-call]
            problem = "aliases such as *name are not read here; write it out"
            raise yaml.composer.ComposerError(problem=problem, problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key.value!r} is given twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def resolve(data: dict[str, Any], file: str) -> dict[str, Any]:
    """The mapping with what it extends filled in. Raises `BadPipeline`."""
    base_name = data.get("extends")
    if base_name is None:
        return data
    if base_name not in shipped() or base_name == data.get("name"):
        raise BadPipeline(f"{file}: extends: {base_name!r} is not a shipped pipeline. Allowed: {', '.join(shipped())}.")
    base = resolve(read((SHIPPED / f"{base_name}.yaml").read_text(encoding="utf-8"), base_name), base_name)
    own = data.get("stages", [])
    if not isinstance(own, list) or not all(isinstance(s, dict) for s in own):
        return base | data
    keys = [str(s.get("key")) for s in own]
    if twice := next((k for k in keys if keys.count(k) > 1), None):
        raise BadPipeline(f"{file}: stages: {twice} is given twice. Give each stage once.")
    return base | data | {"stages": _merge(base["stages"], own)}


def _merge(base: Sequence[dict[str, Any]], own: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    changes = {str(s.get("key")): s for s in own}
    merged = [s | changes.pop(s["key"], {}) for s in base]
    return merged + list(changes.values())


_SAYS_IT_ALL = ("endpoint", "counts", "wrong", "price")
"""Mistakes whose value is not repeated: an address may hold a password, a whole part is too long."""
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


def explain(error: ValidationError, text: str, file: str, data: dict[str, Any]) -> str:
    """The first thing wrong, as one sentence."""
    # A misspelt key is also reported as missing; the misspelling is what the user can see.
    first = min(error.errors(), key=lambda e: e["type"] not in _UNKNOWN)
    path = first["loc"]
    problem = str(first["msg"])
    if first["type"] in _UNKNOWN:
        problem = f"unknown key; allowed here: {_allowed_at(path)}"
    elif first["type"] == "missing":
        problem = "missing; it is needed"
    elif first["type"] not in _SAYS_IT_ALL:
        problem = f"{problem} (got {_short(first.get('input'))})"
    more = len(error.errors()) - 1
    tail = f" And {more} more." if more else ""
    return f"{located(text, file, _named(path, data))}: {problem}.{tail}"


def located(text: str, file: str, path: Sequence[str]) -> str:
    """File, line and key of a place in a pipeline file, for the start of a sentence about it."""
    line = _line(text, path)
    return f"{file}: {f'line {line}: ' if line else ''}{'.'.join(path)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _named(path: Sequence[int | str], data: Any) -> list[str]:
    """The path with a stage's number replaced by its key, as a person would say it."""
    parts = [str(p) for p in path]
    if len(path) > 1 and path[0] == "stages" and isinstance(path[1], int):
        stage = data["stages"][path[1]]
        parts[1] = str(stage.get("key", path[1])) if isinstance(stage, dict) else parts[1]
    return parts


def _allowed(model: type[BaseModel]) -> str:
    return ", ".join(f.alias or name for name, f in model.model_fields.items())


def _allowed_at(path: Sequence[int | str]) -> str:
    if path[0] == "runtime":
        return ", ".join(names_at([str(p) for p in path[1:]]))
    if path[0] != "stages":
        return _allowed(_TiersFile) if path[0] == "tiers" else _allowed(PipelineFile)
    inner: dict[str, type[BaseModel]] = {"prompt": _PromptFile, "output": _OutputFile}
    return _allowed(inner.get(str(path[2]), StageFile) if len(path) > 3 else StageFile)


def _line(text: str, path: Sequence[str]) -> int | None:
    """Line of the deepest part of `path` that stands in this file; `None` where it comes from the file it extends."""
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    line: int | None = None
    for key in path:
        found = _child(node, key)
        if found is None:
            return line
        line, node = found
    return line


def _child(node: yaml.Node | None, key: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k.start_mark.line + 1, v) for k, v in node.value if k.value == key), None)
    if isinstance(node, yaml.SequenceNode):
        items = (i for n, i in enumerate(node.value) if str(n) == key or _has_key(i, key))
        return next(((i.start_mark.line + 1, i) for i in items), None)
    return None


def _has_key(item: yaml.Node, key: str) -> bool:
    return isinstance(item, yaml.MappingNode) and any(k.value == "key" and v.value == key for k, v in item.value)


def check_output(s: StageFile, where: str) -> None:
    """Raise `BadPipeline` where an output cannot be checked as asked."""
    wrong = [c for c in s.output.checks if (c == "no_citation_marks") != (s.output.kind == "text")]
    if wrong:
        raise BadPipeline(f"{where}.output.checks: {wrong[0]} cannot read an output of kind {s.output.kind}.")
    if s.key == "rerank" and "scores_complete" not in s.output.checks:
        raise BadPipeline(
            f"{where}.output.checks: re-ranking needs an output of kind json and the check scores_complete."
        )
    if s.output.json_schema is not None and (problem := schema_problem(s.output.json_schema)):
        raise BadPipeline(f"{where}.output.schema: this is not a valid JSON Schema: {problem}.")


def schema_problem(schema: Mapping[str, Any]) -> str:
    """Why this cannot be used as a JSON Schema; empty where it can.

    References are refused: one to another address would make the server fetch it, one to itself never ends.
    """
    from jsonschema import Draft202012Validator, SchemaError

    try:
        text = json.dumps(schema, sort_keys=True, allow_nan=False)
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        return _short(error.message)
    except (TypeError, ValueError, RecursionError):
        return "it holds a value that JSON does not have, such as a date"
    return "$ref and its kin are not read here; write the part out" if _REFERENCE.search(text) else ""
