"""Scores of pairs of outputs, current against candidate: by counting where that is possible, by a judge where it is not.

A pair is a number from -1 to 1, candidate minus current. `score` tells it for intent, re-rank, check and summary; `judge`
asks a model of another family for draft and response, in both orders. A failed candidate counts against itself; a judge
without an answer is missing, never a tie.
"""

from playground.scoring.bias import Ballot, Bias, bias, bias_of
from playground.scoring.judge_choice import family, fit_judges, unfit
from playground.scoring.judge_prompts import JUDGE, judge_prompts
from playground.scoring.judgements import (
    CRITERIA,
    Judgement,
    Opinion,
    Winner,
    joined,
    judgement_schema,
    read_judgement,
)
from playground.scoring.judging import Judge, Judged, judge
from playground.scoring.reading import shown
from playground.scoring.rubrics import Rubric, parse_rubric, shipped_rubric
from playground.scoring.scores import Kind, Lengths, Score
from playground.scoring.stages import JUDGED, KEEP, score

__all__ = [
    "CRITERIA",
    "JUDGE",
    "JUDGED",
    "KEEP",
    "Ballot",
    "Bias",
    "Judge",
    "Judged",
    "Judgement",
    "Kind",
    "Lengths",
    "Opinion",
    "Rubric",
    "Score",
    "Winner",
    "bias",
    "bias_of",
    "family",
    "fit_judges",
    "joined",
    "judge",
    "judge_prompts",
    "judgement_schema",
    "parse_rubric",
    "read_judgement",
    "score",
    "shipped_rubric",
    "shown",
    "unfit",
]
