"""Decoding across animals, and the spectral radius of networks whose covariances are spread."""

from collections.abc import Mapping

import numpy as np

from allometry.compare.inputs.design import populations
from allometry.compare.kinds.population_code.description import Described
from allometry.compare.measures.populations.decoding import decode_across
from allometry.compare.result import Result
from tests.compare.calibration.connectomes import table
from tests.compare.calibration.harness import COVERAGE, LEVEL, Study, covers
from tests.compare.responses import directions, make_responses

STIMULI, REPEATS, UNITS = 12, 5, 8
MANY = 400  # presentations in which a decoder shows how good it is


def _decode_across(seed: int) -> Mapping[str, float]:
    """Two animals that share nothing; and two that share five latent variables, told apart through noise."""
    rng = np.random.default_rng(seed)
    found: dict[str, float] = {}
    source, target = (
        rng.normal(size=(STIMULI, 1, UNITS)) + 0.5 * rng.normal(size=(STIMULI, REPEATS, UNITS)) for _ in range(2)
    )
    for align, decoder in (("procrustes", "lda"), ("cca", "correlation"), ("none", "correlation")):
        unrelated = decode_across(source, target, align=align, dimensions=3, decoder=decoder, nulls=39, seed=seed)
        found[f"p of unrelated animals, {align}"] = unrelated.p
    latent = rng.normal(size=(STIMULI, 5))
    a, b = (latent @ rng.normal(size=(5, 2 * UNITS)) for _ in range(2))
    source = a[:, None] + rng.normal(size=(STIMULI, REPEATS, 2 * UNITS))
    target = b[:, None] + 2 * rng.normal(size=(STIMULI, MANY, 2 * UNITS))
    few = decode_across(source, target[:, :REPEATS], dimensions=5, nulls=0)
    # Stimuli that align have no further presentations: the alignment stays.
    target[::2, REPEATS:] = np.nan
    endless = decode_across(source, target, dimensions=5, nulls=0)
    return found | {"covers accuracy across": float(few.interval.low <= endless.accuracy <= few.interval.high)}


NETWORK, RECORDED, RADIUS = 160, 24, 0.7


def _spectral_radius(seed: int) -> Mapping[str, float]:
    """Noise of linear networks with random connections, of which some units are recorded in few or many trials."""
    rng = np.random.default_rng(seed)
    coupling = RADIUS / np.sqrt(NETWORK) * rng.normal(size=(NETWORK, NETWORK))
    gain = np.linalg.inv(np.eye(NETWORK) - coupling)[:RECORDED]
    found = {}
    for repeats in (6, 20):
        noise = rng.normal(size=(8, repeats, NETWORK)) @ gain.T
        responses = 5 + rng.normal(size=(8, 1, RECORDED)) + noise
        (population,) = populations("v1", make_responses(responses, {"direction": directions(8)}), by=["direction"])
        described = Described(population, [], 2, 2, seed)
        described.correlations(NETWORK)
        row = table(Result("", described.rows, {}, {}), "measure", "group").loc[("spectral_radius", "")]
        found[f"covers radius .7, {repeats} repeats"] = covers(row, RADIUS)
    return found


STUDIES = [
    Study(
        "decoding across animals",
        _decode_across,
        {f"p of unrelated animals, {align}": LEVEL for align in ("procrustes", "cca", "none")}
        | {"covers accuracy across": COVERAGE},
        few=6,
    ),
    Study(
        "spectral radius",
        _spectral_radius,
        {f"covers radius .7, {repeats} repeats": COVERAGE for repeats in (6, 20)},
        few=6,
    ),
]
