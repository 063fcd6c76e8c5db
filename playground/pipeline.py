"""A support agent as a YAML file. Errors name file, line, key and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.errors import BadPipeline
from playground.records import OutputSpec
from playground.templates import STABLE, VARIABLES, variables

STAGE_KEYS = ("intent", "rerank", "draft", "check", "respond", "summarise")
SHIPPED = Path(__file__).parent / "pipelines"
MAX_FILE_BYTES = 1_000_000
Tier = Literal["cheap", "mid", "frontier"]
Check = Literal["label_known", "scores_complete", "citations_present", "policies_known", "no_citation_marks"]


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A system message that is the same for every ticket, and a user message made for each one."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the agent. Token figures are per call; `bar` and `margin` are shares from 0 to 1."""

    key: str
    title: str
    calls: int
    prompt: PromptTemplate
    output: OutputSpec
    typical_output_tokens: int
    max_output_tokens: int
    before: str
    tier: Tier
    bar: float
    margin: float
    reference: str | None = None
    typical_input_tokens: int | None = None
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The ordered stages of one support agent. `retrieve` passages are fetched, `keep` survive re-ranking."""

    name: str
    title: str
    stages: tuple[Stage, ...]
    labels: Mapping[str, str]
    tiers: Mapping[str, str]
    retrieve: int
    keep: int

    def stage(self, key: str) -> Stage:
        """The stage named `key`."""
        return next(s for s in self.stages if s.key == key)

    def with_stage(self, stage: Stage) -> Pipeline:
        """The same pipeline with one stage replaced."""
        return replace(self, stages=tuple(stage if s.key == stage.key else s for s in self.stages))

    @property
    def calls(self) -> int:
        """Model calls for one ticket when nothing is retried."""
        return sum(s.calls for s in self.stages)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _PromptFile(_Strict):
    system: str = Field(min_length=1)
    user: str = Field(min_length=1)


class _OutputFile(_Strict):
    kind: Literal["text", "json"]
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    checks: list[Check] = []


Share = Annotated[float, Field(ge=0, le=1)]
Tokens = Annotated[int, Field(ge=1, le=1_000_000)]


class _StageFile(_Strict):
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
    margin: Share
    reference: str | None = None
    typical_input_tokens: Tokens | None = None


class _TiersFile(_Strict):
    cheap: str
    mid: str
    frontier: str


class _PipelineFile(_Strict):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    title: str = Field(min_length=1, max_length=80)
    extends: str | None = None
    retrieve: int = Field(ge=1, le=100)
    keep: int = Field(ge=1, le=50)
    timeout_s: float = Field(default=60, gt=0, le=600)
    tiers: _TiersFile
    labels: dict[str, str] = Field(min_length=2)
    stages: list[_StageFile]


def shipped() -> tuple[str, ...]:
    """Names of the pipelines that come with the app."""
    return tuple(sorted((p.stem for p in SHIPPED.glob("*.yaml")), reverse=True))


@cache
def load_shipped(name: str) -> Pipeline:
    """A pipeline that comes with the app. Raises `BadPipeline` for a name that does not exist."""
    path = SHIPPED / f"{name}.yaml"
    if name not in shipped():
        raise BadPipeline(f"There is no pipeline named {name!r}. Allowed: {', '.join(shipped())}, or a YAML file.")
    return parse(path.read_text(encoding="utf-8"), path.name)


def load(name_or_path: str) -> Pipeline:
    """A shipped pipeline by name, or one from a file. Raises `BadPipeline`."""
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        return load_shipped(name_or_path)
    try:
        return parse_bytes(path.read_bytes(), path.name)
    except OSError as error:
        raise BadPipeline(f"{path}: cannot be read: {error.strerror}.") from error


def parse_bytes(raw: bytes, file: str) -> Pipeline:
    """A pipeline from an uploaded file's bytes. Raises `BadPipeline`."""
    if len(raw) > MAX_FILE_BYTES:
        raise BadPipeline(f"{file}: {len(raw):,} bytes; a pipeline may have at most {MAX_FILE_BYTES:,}.")
    try:
        return parse(raw.decode("utf-8-sig"), file)
    except UnicodeDecodeError as error:
        raise BadPipeline(f"{file}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from None


def parse(text: str, file: str) -> Pipeline:
    """A pipeline from YAML text; `file` is named in errors. Raises `BadPipeline`."""
    data = _resolve(_read(text, file), file)
    try:
        checked = _PipelineFile.model_validate(data)
    except ValidationError as error:
        raise BadPipeline(_explain(error, text, file, data)) from None
    return _build(checked, file)


def to_yaml(pipeline: Pipeline) -> str:
    """The pipeline as a file that `parse` reads back to an equal one."""
    head = {"name": pipeline.name, "title": pipeline.title, "retrieve": pipeline.retrieve, "keep": pipeline.keep}
    head |= {"timeout_s": pipeline.stages[0].timeout_s, "tiers": dict(pipeline.tiers), "labels": dict(pipeline.labels)}
    return yaml.dump(
        head | {"stages": [_stage_dict(s) for s in pipeline.stages]},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=110,
    )


class _Dumper(yaml.SafeDumper):
    pass


def _text_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text_block)


def _stage_dict(stage: Stage) -> dict[str, Any]:
    output = {"kind": stage.output.kind, "checks": list(stage.output.checks), "schema": stage.output.schema}
    fields = {
        "key": stage.key, "title": stage.title, "calls": stage.calls, "before": stage.before, "reference": stage.reference,
        "tier": stage.tier, "bar": stage.bar, "margin": stage.margin, "typical_input_tokens": stage.typical_input_tokens,
        "typical_output_tokens": stage.typical_output_tokens, "max_output_tokens": stage.max_output_tokens,
        "prompt": {"system": stage.prompt.system, "user": stage.prompt.user},
        "output": {k: v for k, v in output.items() if v},
    }  # fmt: skip
    return {k: v for k, v in fields.items() if v is not None}


def _read(text: str, file: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadPipeline(f"{file}: line {line}: this is not valid YAML ({error.problem}).") from None
    except (yaml.YAMLError, RecursionError):
        raise BadPipeline(f"{file}: this is not valid YAML.") from None
    if not isinstance(data, dict):
        raise BadPipeline(f"{file}: a pipeline is a mapping with the keys {_allowed(_PipelineFile)}.")
    return data


def _resolve(data: dict[str, Any], file: str) -> dict[str, Any]:
    base_name = data.get("extends")
    if base_name is None:
        return data
    if base_name not in shipped() or base_name == data.get("name"):
        raise BadPipeline(f"{file}: extends: {base_name!r} is not a shipped pipeline. Allowed: {', '.join(shipped())}.")
    base = _resolve(_read((SHIPPED / f"{base_name}.yaml").read_text(encoding="utf-8"), base_name), base_name)
    own = data.get("stages", [])
    if not isinstance(own, list) or not all(isinstance(s, dict) for s in own):
        return base | data
    return base | data | {"stages": _merge(base["stages"], own)}


def _merge(base: Sequence[dict[str, Any]], own: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    changes = {s.get("key"): s for s in own}
    merged = [s | changes.pop(s["key"], {}) for s in base]
    return merged + list(changes.values())


def _build(checked: _PipelineFile, file: str) -> Pipeline:
    keys = tuple(s.key for s in checked.stages)
    if keys != STAGE_KEYS:
        missing = [k for k in STAGE_KEYS if k not in keys]
        problem = f"missing {', '.join(missing)}" if missing else f"found {', '.join(keys)}"
        raise BadPipeline(f"{file}: stages: {problem}. Needed, once each and in this order: {', '.join(STAGE_KEYS)}.")
    stages = tuple(_stage(s, checked.timeout_s, file) for s in checked.stages)
    if checked.keep > checked.retrieve:
        raise BadPipeline(
            f"{file}: keep: {checked.keep} is more than retrieve ({checked.retrieve}); keep at most as many."
        )
    return Pipeline(
        checked.name, checked.title, stages, checked.labels, checked.tiers.model_dump(), checked.retrieve, checked.keep
    )


def _stage(s: _StageFile, timeout_s: float, file: str) -> Stage:
    where = f"{file}: stages.{s.key}"
    if s.typical_output_tokens > s.max_output_tokens:
        raise BadPipeline(f"{where}: typical_output_tokens is more than max_output_tokens ({s.max_output_tokens}).")
    if s.calls > 1 and s.key != "rerank":
        raise BadPipeline(f"{where}: calls: only rerank may make more than one call (got {s.calls}).")
    prompt = check_prompt(PromptTemplate(s.prompt.system, s.prompt.user), where)
    output = OutputSpec(s.output.kind, s.output.json_schema, tuple(s.output.checks))
    plain = s.model_dump(exclude={"prompt", "output"})
    return Stage(**plain, prompt=prompt, output=output, timeout_s=timeout_s)


def check_prompt(prompt: PromptTemplate, where: str) -> PromptTemplate:
    """The same prompt, or `BadPipeline` where it names a variable that does not exist."""
    for part, text, allowed in (("system", prompt.system, STABLE), ("user", prompt.user, VARIABLES)):
        unknown = sorted(variables(text) - set(allowed))
        if unknown:
            names = ", ".join("{{ " + v + " }}" for v in allowed)
            raise BadPipeline(f"{where}.prompt.{part}: {{{{ {unknown[0]} }}}} does not exist here. Allowed: {names}.")
    return prompt


def _explain(error: ValidationError, text: str, file: str, data: dict[str, Any]) -> str:
    # A misspelt key is also reported as missing; the misspelling is what the user can see.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    path = first["loc"]
    problem = str(first["msg"])
    if first["type"] == "extra_forbidden":
        problem = f"unknown key; allowed here: {_allowed_at(path)}"
    elif first["type"] == "missing":
        problem = "missing; it is needed"
    else:
        problem = f"{problem} (got {_short(first.get('input'))})"
    line = _line(text, _named(path, data))
    more = len(error.errors()) - 1
    tail = f" And {more} more." if more else ""
    return f"{file}: {f'line {line}: ' if line else ''}{'.'.join(_named(path, data))}: {problem}.{tail}"


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
    if path[0] != "stages":
        return _allowed(_TiersFile) if path[0] == "tiers" else _allowed(_PipelineFile)
    inner: dict[str, type[BaseModel]] = {"prompt": _PromptFile, "output": _OutputFile}
    return _allowed(inner.get(str(path[2]), _StageFile) if len(path) > 3 else _StageFile)


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
