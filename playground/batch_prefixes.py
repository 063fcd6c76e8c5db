"""The fixed part of every prompt of a log, as providers cache it: exact sums by plan, stage and model, which batches add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from playground.batch_costs import Whole, exact_sum, in_usd, prefix_costs
from playground.batch_router import Chosen, by_candidate
from playground.pipeline import Stage
from playground.prices import cached_prefix
from playground.prompt_caching import CachedPrefix, keeps_s
from playground.records import Assurance, Model, Plan

Case = Plan | Assurance
"""A plan, or kr-auto under either assurance."""
Key = tuple[Case, str, str, float]
"""Case, stage, model, and the seconds for which its provider keeps a fixed part."""
PrefixSums = Mapping[Key, Mapping[str, int]]
"""The `tickets` of a key, what is saved if all of them read (`read_pico_usd`), and what is lost of that if all of them write
(`extra_pico_usd`), in 10^-12 USD; only where a cache takes the fixed part."""
_SUMS = ("tickets", "read_pico_usd", "extra_pico_usd")


def prefix_sums(
    chosen: Iterable[tuple[Case, Sequence[Chosen]]],
    stages: Sequence[Stage],
    inputs: Mapping[str, Whole],
    lengths: Sequence[int],
) -> PrefixSums:
    """The sums of a batch. `inputs` by stage are shaped (tickets, calls); `lengths` are tokens of each stage's fixed part."""
    found: dict[Key, dict[str, int]] = {}
    for case, by_stage in chosen:
        for stage, length, c in zip(stages, lengths, by_stage, strict=True):
            for name, kept_s, sums in _of_stage(c, inputs[stage.key], length):
                at = found.setdefault((case, stage.key, name, kept_s), dict.fromkeys(_SUMS, 0))
                for what, value in zip(_SUMS, sums, strict=True):
                    at[what] += value
    return found


def _of_stage(chosen: Chosen, inputs: Whole, length: int) -> Iterator[tuple[str, float, tuple[int, int, int]]]:
    for candidate, rows in by_candidate(chosen):
        model, own = candidate.model, inputs[rows]
        if cached_prefix(model, length):
            read, extra = prefix_costs(model, own, length)
            yield model.name, keeps_s(model), (len(own), exact_sum(read), exact_sum(extra))


def one_prefix(model: Model, stage: str, inputs: Whole, length: int) -> tuple[CachedPrefix, ...]:
    """What caching a stage's fixed part changes where every ticket goes to one model; none where it takes none."""
    if not cached_prefix(model, length) or not len(inputs):
        return ()
    read, extra = (in_usd(exact_sum(costs)) / len(inputs) for costs in prefix_costs(model, inputs, length))
    return (CachedPrefix(stage, model.name, keeps_s(model), read, extra),)


def cached_prefixes(sums: PrefixSums, case: Case, tickets: int) -> tuple[CachedPrefix, ...]:
    """Those of one case, for an average ticket of `tickets` in all."""
    return tuple(
        CachedPrefix(
            stage,
            model,
            kept_s,
            in_usd(found["read_pico_usd"]) / tickets,
            in_usd(found["extra_pico_usd"]) / tickets,
            found["tickets"] / tickets,
        )
        for (whose, stage, model, kept_s), found in sums.items()
        if whose == case
    )
