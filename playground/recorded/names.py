"""Candidates as names in a file, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from playground.catalog import EFFORTS
from playground.records import Candidate, Model

UNKNOWN = "unknown"


def full(model: Model, effort: str) -> str:
    """A candidate's name in a file."""
    return model.name if effort == "default" else f"{model.name} @{effort}"


class Names:
    """Models by a name that only one of them has: two prices of one model in one run are two models."""

    def __init__(self, models: Iterable[Model]) -> None:
        self.models: list[Model] = []
        self._names: dict[Model, str] = {}
        self.catalog = len([self.add(m) for m in models])

    def add(self, model: Model) -> str:
        """The name of a model, which is listed where it was not."""
        if model not in self._names:
            taken, name, n = set(self._names.values()), model.name, 2
            while name in taken:
                name, n = f"{model.name} ({n})", n + 1
            self._names[model] = name
            self.models.append(replace(model, name=name))
        return self._names[model]

    def of(self, candidate: Candidate) -> str:
        """A candidate's name."""
        return full(replace(candidate.model, name=self.add(candidate.model)), candidate.effort)


class Known:
    """The candidates of a file by name. One that it does not list is shown under its name, without a price."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = {m.name: m for m in models}
        self.missing: list[str] = []

    def candidate(self, name: str) -> Candidate:
        """The candidate of that name."""
        model, _, effort = name.rpartition(" @")
        known = next((e for e in EFFORTS if e == effort), None)
        if name in self._models or known is None or not model:
            return Candidate(self._model(name))
        return Candidate(self._model(model), known)

    def _model(self, name: str) -> Model:
        if name not in self._models:
            self.missing.append(name)
            self._models[name] = Model(name, name, UNKNOWN, None, None, None)
        return self._models[name]
