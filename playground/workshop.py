"""Puts the rooms together: an `Agent` ready to run, from a pipeline, settings and a way to answer."""

from __future__ import annotations

from playground.catalog import Catalog, load_catalog
from playground.errors import BadModel, BadPipeline
from playground.evidence import evidence_for
from playground.evidence_file import OwnEvidence
from playground.knowledge import sample_help_centre, sample_policies
from playground.loop import Agent
from playground.options import Settings
from playground.pipeline import Pipeline
from playground.records import Provenance
from playground.router import Router
from playground.watch import Complete


def make_router(
    pipeline: Pipeline, settings: Settings | None = None, catalog: Catalog | None = None, own: OwnEvidence | None = None
) -> Router:
    """A router over the shipped evidence with the user's own, and over the shipped catalogue unless another is given."""
    known, own = catalog or load_catalog(), own or OwnEvidence()
    evidence = evidence_for(known, own.rows, tuple(sorted(own.pairs.items())))
    return Router(pipeline, known, evidence, settings, own.proofs)


def check_models(pipeline: Pipeline, catalog: Catalog | None = None) -> Pipeline:
    """The same pipeline, or `BadPipeline` where it names a model that is not in the catalogue."""
    known = catalog or load_catalog()
    named = [(f"tiers.{tier}", name) for tier, name in pipeline.tiers.items()]
    named += [(f"stages.{s.key}.before", s.before) for s in pipeline.stages]
    named += [(f"stages.{s.key}.reference", s.reference) for s in pipeline.stages if s.reference]
    for where, name in named:
        try:
            known.by_name(name)
        except BadModel as error:
            raise BadPipeline(f"{pipeline.name}: {where}: {error} Models and prices lists what is allowed.") from None
    return pipeline


def make_agent(router: Router, complete: Complete | None = None, provenance: Provenance = "rehearsal") -> Agent:
    """An agent on the sample help centre and policies; it rehearses unless told how to call models."""
    if complete is None:
        # Live runs and the router's own tests have no use for it.
        from playground.rehearsal import sample_rehearsal

        complete = sample_rehearsal()
    return Agent(router.pipeline, router, sample_help_centre(), sample_policies(), complete, provenance)
