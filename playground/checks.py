"""Whether a model's output may be used: valid JSON of the right shape, known labels, real citations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from playground.records import Output, Request, Verdict

_FENCED = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n\s*```\s*$", re.DOTALL)


def verify(request: Request, text: str, finish_reason: str = "stop") -> tuple[Verdict, Output | None]:
    """The verdict on an output, and the parsed output where it may be used. Never raises: the call is paid for."""
    if finish_reason in _CUT:
        return Verdict(False, (_CUT[finish_reason],)), None
    if not text.strip():
        return Verdict(False, ("The output is empty.",)), None
    try:
        return _read(request, text)
    except Exception as error:
        # A schema of the user's own can fail in ways that no list holds, and the receipt must still be written.
        return Verdict(False, (f"The output could not be checked ({type(error).__name__}).",)), None


_CUT = {
    "length": "The output was cut off at its token limit. Raise max_output_tokens, or choose another model.",
    "content_filter": "The provider's content filter cut the output off.",
}


def _read(request: Request, text: str) -> tuple[Verdict, Output | None]:
    if request.output.kind == "text":
        return _judge(request, text.strip())
    parsed, problem = parse_json(text, request.output.schema)
    return _judge(request, parsed) if parsed is not None else (Verdict(False, (problem,)), None)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def parse_json(text: str, schema: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, str]:
    """A JSON object, bare or in a Markdown fence, that fits the schema; else `None` and a sentence."""
    fenced = _FENCED.match(text)
    try:
        data = json.loads(fenced.group(1) if fenced else text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return None, f"The output is not valid JSON: {_brief(str(error))}."
    if not isinstance(data, dict):
        return None, "The output is not a JSON object."
    problem = _first_error(data, schema)
    return (None, problem) if problem else (data, "")


def _first_error(data: dict[str, Any], schema: Mapping[str, Any] | None) -> str:
    if schema is None:
        return ""
    error = next(_validator(json.dumps(schema, sort_keys=True)).iter_errors(data), None)
    if error is None:
        return ""
    where = ".".join(str(p) for p in error.absolute_path) or "the object"
    return f"The JSON does not have the asked shape: {where}: {_brief(error.message)}."


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))


def _judge(request: Request, output: Output) -> tuple[Verdict, Output | None]:
    findings = tuple(f for name in request.output.checks if (f := _check(name, request, output)))
    return Verdict(not findings, findings), None if findings else output


def _check(name: str, request: Request, output: Output) -> str:
    try:
        return _CHECKS[name](request, output)
    except (AttributeError, TypeError, KeyError):
        # A pipeline of the user's own may allow shapes that its checks cannot read.
        return f"The output does not have the shape that the check {name} reads."


def _label_known(request: Request, output: Any) -> str:
    label = output.get("label")
    return (
        ""
        if label in request.context.labels
        else f"The label {_brief(repr(label))} is not one of the pipeline's labels."
    )


def _scores_complete(request: Request, output: Any) -> str:
    wanted = {p.id for p in request.prompt.passages}
    given = [s.get("id") for s in output.get("scores", ())]
    missing = wanted - set(given)
    if missing:
        return f"{len(missing)} of {len(wanted)} passages have no score."
    return (
        ""
        if set(given) == wanted and len(given) == len(wanted)
        else "Passages are scored that were not asked about, or twice."
    )


def _citations_present(request: Request, output: Any) -> str:
    known = {p.id for p in request.prompt.passages}
    cited = set(output.get("citations", ()))
    if cited - known:
        return f"It cites {_brief(', '.join(sorted(map(str, cited - known))))}, which is not among the passages."
    # An answer that only hands open questions to a person states no fact, so it has nothing to cite.
    return "" if cited or output.get("open_questions") else "The answer cites no passage."


def _policies_known(request: Request, output: Any) -> str:
    known = {p.id for p in request.context.policies}
    unknown = [f.get("policy") for f in output.get("findings", ()) if f.get("policy") not in known]
    return f"It names the policy {_brief(repr(unknown[0]))}, which does not exist." if unknown else ""


def _no_citation_marks(request: Request, output: Any) -> str:
    left = [p.id for p in request.prompt.passages if f"[{p.id}]" in output]
    return f"The answer still shows the citation [{left[0]}] to the customer." if left else ""


def _brief(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "..."


_CHECKS: Mapping[str, Callable[[Request, Any], str]] = {
    "label_known": _label_known,
    "scores_complete": _scores_complete,
    "citations_present": _citations_present,
    "policies_known": _policies_known,
    "no_citation_marks": _no_citation_marks,
}
