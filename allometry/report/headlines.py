"""What the main result of each kind of comparison means: which row it is, and a sentence around its number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from allometry.report.drawing.names import readable


@dataclass(frozen=True)
class Headline:
    """How the result of a kind of comparison that is told first is found and said.

    Attributes
    ----------
    measure, group : str
        Rows of the Scores that are meant; an empty group means all.
    said : str
        Sentence before the verdict, with `{number}` for the score with its interval, and `{candidate}`, `{reference}`,
        `{group}`, `{n}` of its row.
    smallest : bool
        Whether the best one has the smallest score, as of distances.
    """

    measure: str
    group: str
    said: str
    smallest: bool = False

    def row(self, rows: pd.DataFrame) -> dict[str, Any] | None:
        """The best of the results that are meant, of those with an interval where there are any; None where there is none."""
        mine = rows[(rows["measure"] == self.measure) & rows["score"].notna()]
        if self.group:
            mine = mine[mine["group"] == self.group]
        # what is the same in every resample, as two editions of one connectome, tells nothing beside the others
        varied = mine[mine["ci_high"] > mine["ci_low"]]
        mine = mine if varied.empty else varied
        if mine.empty:
            return None
        score = mine["score"].to_numpy(float)
        best = mine.iloc[int(score.argmin() if self.smallest else score.argmax())]
        return {str(key): value for key, value in best.items()}

    def text(self, row: Mapping[str, Any], number: str) -> str:
        """The sentence of a row."""
        names = {key: readable(str(row.get(key, ""))) for key in ("candidate", "reference", "group")}
        count = row.get("n")
        return self.said.format(
            number=number, n=f"{int(count):,}" if count is not None and not pd.isna(count) else "", **names
        )


HEADLINES: dict[str, tuple[Headline, ...]] = {
    "structure_function": (
        Headline(
            "influence_auc",
            "weight",
            "Which worm neuron influences which ({reference}) is told by the connections of {candidate} with AUC {number}",
        ),
    ),
    "propagation": (
        Headline(
            "influence_auc",
            "simulated",
            "Activity simulated on the connectome ({candidate}) tells measured influences with AUC {number}",
        ),
        Headline(
            "activation_correlation",
            "multi_step",
            "Which neurons a driven one reaches in {reference} is told by paths of a few synapses with a rank correlation of {number}",
        ),
    ),
    "connectome_agreement": (
        Headline(
            "edge_jaccard",
            "",
            "Of the connections of {candidate} and {reference}, which agree best, both list a share of {number}",
        ),
    ),
    "structure_bold": (
        Headline(
            "structure_bold_correlation",
            "mean",
            "White matter predicts which regions fluctuate together with a rank correlation of {number}, mean over {n} subjects",
        ),
    ),
    "activity_structure": (
        Headline(
            "activity_structure_correlation",
            "",
            "Connected neurons ({group}) fluctuate together in {reference} with a correlation of {number}",
        ),
    ),
    "connectome_reservoir": (
        Headline("memory_capacity", "connectome", "As a reservoir, {candidate} remembers {number} steps of its input"),
    ),
    "dynamic_connectome": (
        Headline(
            "ntf_explained", "motifs", "{candidate} hold a share of {number} of the coupling of neurons in {reference}"
        ),
    ),
    "trial_components": (
        Headline(
            "held_out_components",
            "components",
            "Components predict a share of {number} of what neurons of {candidate} do in trials that were held out",
        ),
    ),
    "activity_manifolds": (
        Headline(
            "state_decoding",
            "neurons",
            "A decoder of behavioural states of one worm reads those of another with a balanced accuracy of {number} ({reference})",
        ),
        Headline(
            "manifold_procrustes",
            "mean",
            "Manifolds of two animals of {reference} are alike to {number} after rotation",
        ),
    ),
    "population_code": (
        Headline(
            "decoding_within",
            "",
            "A decoder reads the stimulus from {candidate} ({group}) in a share of {number} of the trials",
        ),
    ),
    "representation_similarity": (
        Headline(
            "ssm", "model", "Of all model layers, {candidate} has a geometry most like that of {reference}: {number}"
        ),
        Headline("cka", "", "{candidate} and {reference} represent stimuli alike to {number} (CKA)"),
    ),
    "model_recovery": (
        Headline(
            "recovery_hit_rate",
            "",
            "Of all measures, {candidate} tells apart best how two systems are related: a share of {number} of pairs ({reference})",
        ),
    ),
}
"""By kind of comparison, in the order in which they are tried. Spike statistics are held against what another seed changes."""
