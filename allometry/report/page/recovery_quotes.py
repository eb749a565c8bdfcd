"""What model recovery says of a measure, as a quotation for its benchmark cards: which relations it can tell apart."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from allometry import stores

TOLD = 0.9
"""Separation (probability of the right order, folded to [.5, 1]) from which two relations count as told apart."""


def quotes(recovery_stores: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Quotations by the registered name of the measure.

    Parameters
    ----------
    recovery_stores : sequence of path
        Scores stores of comparisons of kind `model_recovery`.

    Returns
    -------
    dict of str to list of dict
        One entry per variant of the measure that was tried: `store`, `variant`, `draws`, `generated` (sizes, in words),
        `closest` (relation), `sees` and `does_not_see` (relations that are, or are not, told from the closest), `confuses`
        (all other pairs of relations that are not told apart), `hit_rate` with its interval and `chance`.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for path in recovery_stores:
        tree = stores.open(path)
        assert isinstance(tree, xr.DataTree)
        matrices = tree["curves/recovery"].to_dataset()
        rows = tree.to_dataset().reset_coords().to_dataframe().reset_index(drop=True)
        rates = rows[(rows["measure"] == "recovery_hit_rate") & (rows["reference"] == "all relations")]
        for index, variant in enumerate(matrices["measure"].values.tolist()):
            mine = rates[(rates["candidate"] == variant) & (rates["role"] == "result")].iloc[0]
            entry = {
                "store": Path(path).stem,
                "variant": str(variant),
                "draws": int(matrices.sizes["draw"]),
                "generated": str(stores.attribute(tree, "derived")["generated"]),
                **_told(matrices.isel(measure=index)),
                "hit_rate": [float(mine[name]) for name in ("score", "ci_low", "ci_high")],
                "chance": 1 / matrices.sizes["truth"],
            }
            for name in str(matrices["registered"].values[index]).split():
                found.setdefault(name, []).append(entry)
    return found


def _told(matrices: xr.Dataset) -> dict[str, Any]:
    truths = [str(name) for name in matrices["truth"].values.tolist()]
    separation = matrices["separation"].values
    # the first relation is the closest of all, which the others are measured by
    same, others = 0, range(1, len(truths))
    return {
        "closest": truths[same],
        "sees": [truths[i] for i in others if separation[same, i] >= TOLD],
        "does_not_see": [truths[i] for i in others if separation[same, i] < TOLD],
        "confuses": [[truths[i], truths[j]] for i in others for j in others if i < j and separation[i, j] < TOLD],
    }


def sentences(quote: dict[str, Any]) -> str:
    """A quotation in words."""
    rate, low, high = quote["hit_rate"]
    parts = [f"tells {quote['closest']} from {_listed(quote['sees'])}"] if quote["sees"] else []
    if quote["does_not_see"]:
        parts.append(f"does not tell {quote['closest']} from {_listed(quote['does_not_see'])}")
    # two relations that both look like the closest are not told apart either, which needs no words
    unseen = set(quote["does_not_see"])
    if confused := [f"{a} from {b}" for a, b in quote["confuses"] if not {a, b} <= unseen]:
        parts.append(f"{'nor' if unseen else 'does not tell'} {_listed(confused)}")
    variant = quote["variant"].replace("_", " ")
    return (
        f"{variant} {'; '.join(parts)}. By its score alone {rate:.0%} [{low:.0%}, {high:.0%}] of pairs are attributed to their own "
        f"relation (chance {quote['chance']:.0%})."
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
