"""How often the right name is found: lines and turns against what a person said."""

from __future__ import annotations

from yuki_builder.characters.evaluation.measures import Evaluation, evaluate
from yuki_builder.characters.evaluation.picture import draw_evaluation
from yuki_builder.characters.evaluation.truth import TrueLine, read_truth

__all__ = ["Evaluation", "TrueLine", "draw_evaluation", "evaluate", "read_truth"]
