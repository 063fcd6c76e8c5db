"""A support agent as a YAML file. Errors name file, line, key and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from playground.errors import BadPipeline
from playground.pipeline_file import (
    SHIPPED,
    PipelineFile,
    StageFile,
    Tier,
    check_output,
    explain,
    located,
    read,
    resolve,
    shipped,
)
from playground.records import OutputSpec
from playground.runtime import Runtime, as_yaml
from playground.templates import STABLE, VARIABLES, variables

STAGE_KEYS = ("intent", "rerank", "draft", "check", "respond", "summarise")
MAX_FILE_BYTES = 1_000_000


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
    version: str = "1"
    """Change it when the agent changes in a way that its prompts do not show: verdicts hold for one version only."""
    runtime: Runtime = field(default_factory=Runtime)

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


NO_CONFIDENCE = (
    "the draft's output asks for no confidence, so there is nothing for the gate to go by. Ask for a number named confidence in "
    "the schema and the prompt of the stage draft, or leave the gate off."
)


def states_confidence(stages: Iterable[Stage]) -> bool:
    """Whether the draft's schema demands a confidence, which the gate goes by."""
    schema = next((s.output.schema for s in stages if s.key == "draft"), None) or {}
    return "confidence" in schema.get("properties", {}) and "confidence" in schema.get("required", ())


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
    data = resolve(read(text, file), file)
    try:
        checked = PipelineFile.model_validate(data)
    except ValidationError as error:
        raise BadPipeline(explain(error, text, file, data)) from None
    return _build(checked, text, file)


def to_yaml(pipeline: Pipeline) -> str:
    """The pipeline as a file that `parse` reads back to an equal one."""
    head = {
        "name": pipeline.name,
        "title": pipeline.title,
        "version": pipeline.version,
        "retrieve": pipeline.retrieve,
        "keep": pipeline.keep,
    }
    usual_s = pipeline.stages[0].timeout_s
    head |= {"timeout_s": usual_s, "tiers": dict(pipeline.tiers), "labels": dict(pipeline.labels)}
    runtime = {} if pipeline.runtime.is_off else {"runtime": as_yaml(pipeline.runtime)}
    return yaml.dump(
        head | runtime | {"stages": [_stage_dict(s, usual_s) for s in pipeline.stages]},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=110,
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text_block)


def _stage_dict(stage: Stage, usual_s: float) -> dict[str, Any]:
    output = {"kind": stage.output.kind, "checks": list(stage.output.checks), "schema": stage.output.schema}
    fields = {
        "key": stage.key, "title": stage.title, "calls": stage.calls, "before": stage.before, "reference": stage.reference,
        "tier": stage.tier, "bar": stage.bar, "margin": stage.margin, "typical_input_tokens": stage.typical_input_tokens,
        "typical_output_tokens": stage.typical_output_tokens, "max_output_tokens": stage.max_output_tokens,
        "timeout_s": None if stage.timeout_s == usual_s else stage.timeout_s,
        "prompt": {"system": stage.prompt.system, "user": stage.prompt.user},
        "output": {k: v for k, v in output.items() if v},
    }  # fmt: skip
    return {k: v for k, v in fields.items() if v is not None}


def _build(checked: PipelineFile, text: str, file: str) -> Pipeline:
    keys = tuple(s.key for s in checked.stages)
    if keys != STAGE_KEYS:
        missing = [k for k in STAGE_KEYS if k not in keys]
        problem = f"missing {', '.join(missing)}" if missing else f"found {', '.join(keys)}"
        raise BadPipeline(f"{file}: stages: {problem}. Needed, once each and in this order: {', '.join(STAGE_KEYS)}.")
    stages = tuple(_stage(s, checked.timeout_s, text, file) for s in checked.stages)
    if checked.keep > checked.retrieve:
        raise BadPipeline(
            f"{file}: keep: {checked.keep} is more than retrieve ({checked.retrieve}); keep at most as many."
        )
    if checked.runtime.confidence_gate is not None and not states_confidence(stages):
        raise BadPipeline(f"{located(text, file, ('runtime', 'confidence_gate'))}: {NO_CONFIDENCE}")
    return Pipeline(
        checked.name,
        checked.title,
        stages,
        checked.labels,
        checked.tiers.model_dump(),
        checked.retrieve,
        checked.keep,
        checked.version,
        checked.runtime,
    )


def _stage(s: StageFile, timeout_s: float, text: str, file: str) -> Stage:
    where = located(text, file, ("stages", s.key))
    if s.typical_output_tokens > s.max_output_tokens:
        raise BadPipeline(f"{where}: typical_output_tokens is more than max_output_tokens ({s.max_output_tokens}).")
    check_output(s, where)
    if s.calls > 1 and s.key != "rerank":
        raise BadPipeline(f"{where}: calls: only rerank may make more than one call (got {s.calls}).")
    prompt = check_prompt(PromptTemplate(s.prompt.system, s.prompt.user), where)
    output = OutputSpec(s.output.kind, s.output.json_schema, tuple(s.output.checks))
    plain = s.model_dump(exclude={"prompt", "output", "timeout_s"})
    return Stage(**plain, prompt=prompt, output=output, timeout_s=timeout_s if s.timeout_s is None else s.timeout_s)


def check_prompt(prompt: PromptTemplate, where: str) -> PromptTemplate:
    """The same prompt, or `BadPipeline` where it names a variable that does not exist."""
    for part, text, allowed in (("system", prompt.system, STABLE), ("user", prompt.user, VARIABLES)):
        if not text.strip():
            raise BadPipeline(f"{where}.prompt.{part}: the message is empty. Write one.")
        unknown = sorted(variables(text) - set(allowed))
        if unknown:
            names = ", ".join("{{ " + v + " }}" for v in allowed)
            raise BadPipeline(f"{where}.prompt.{part}: {{{{ {unknown[0]} }}}} does not exist here. Allowed: {names}.")
    return prompt
