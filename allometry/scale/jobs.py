"""What a study simulates: a job per size, scheme and seed, and a calibration per size and scheme that has free factors."""

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allometry.errors import SimulationError
from allometry.hints import hint
from allometry.models.catalogue.records import FULL, MODELS, Model
from allometry.models.features import FEATURE_MODELS, FeatureModel, resolved
from allometry.models.registry import build
from allometry.network import Network
from allometry.pathnames import part

UNCHANGED = "unchanged"
"""The condition of a study that names none."""
FULL_SIZE = "full"
"""What stands for the scheme in the name of a job of full size: all schemes are the same there."""


@dataclass(frozen=True)
class Job:
    """One simulation of every condition, on one connectivity.

    Parameters
    ----------
    name : str
        Size, scheme, seed, and 8 hex digits of all that determines the result; a folder of stores, one per condition.
    size, seed : float, int
    schemes : tuple of str
        That it stands for: all of them at full size.
    parameters : dict
        What determines the result, as `simulate.point` takes it; without the factors of a calibration.
    calibration : str
        Name of the calibration whose factors it takes; empty where none are.
    """

    name: str
    size: float
    seed: int
    schemes: tuple[str, ...]
    parameters: dict[str, Any]
    calibration: str = ""


@dataclass(frozen=True)
class CalibrationJob:
    """One calibration of free factors.

    Parameters
    ----------
    name : str
        Size, scheme, and 8 hex digits of all that determines the result.
    size, scheme : float, str
    factors : tuple of str
        Parameters of the model that are free.
    parameters : dict
        As of a `Job`, with a list of `seeds`; and `calibration`, how it goes.
    reference : tuple of str
        Jobs of full size whose rates are the targets; empty where the study gives the targets.
    """

    name: str
    size: float
    scheme: str
    factors: tuple[str, ...]
    parameters: dict[str, Any]
    reference: tuple[str, ...]

    @property
    def simulations(self) -> int:
        """The most simulations that it can need, of all its conditions."""
        how = self.parameters["calibration"]
        evaluations = 1 + len(self.factors) + how["iterations"]
        return len(how["seeds"]) * evaluations * (len(self.parameters["conditions"]) or 1)


def is_feature(name: str) -> bool:
    """Whether a name is that of a feature model, which has responses and no spikes."""
    return name in FEATURE_MODELS


def reducible(name: str) -> Model | FeatureModel:
    """Model of a study.

    Raises
    ------
    SimulationError
        There is no such model, or it has one size.
    """
    known: dict[str, Model | FeatureModel] = {**MODELS, **FEATURE_MODELS}
    model = known.get(name)
    able = [other for other, entry in known.items() if entry.reduce is not None]
    if model is None or model.reduce is None:
        what = f"unknown model {name!r}" if model is None else f"the model {name} has no other size"
        raise SimulationError(
            what,
            where="model",
            expected="one of " + ", ".join(able),
            do=hint(name, able) if model is None else "give it reduce and schemes (docs/scaling.md), or choose another",
        )
    return model


def arguments(study: Mapping[str, Any], size: float, scheme: str) -> dict[str, Any]:
    """Arguments of the builder at a size: what the study fixes, and what the reduction asks for.

    Raises
    ------
    SimulationError
        For an unknown scheme, a size that the model cannot have, or a parameter that both set.
    """
    model = reducible(study["model"])
    assert model.reduce is not None
    if scheme not in model.schemes:
        raise SimulationError(
            f"the model {study['model']} has no scheme {scheme!r}",
            where="schemes",
            expected="one of " + ", ".join(model.schemes),
            do=hint(scheme, model.schemes),
        )
    try:
        reduced = dict(model.reduce(size, scheme))
    except SimulationError as error:
        raise SimulationError(error.what, where="sizes", expected=error.expected, do=error.do) from None
    # null is a value of some parameters of feature models; of networks it stands for the default
    kept = is_feature(study["model"])
    fixed = {key: value for key, value in study["parameters"].items() if kept or value is not None}
    if both := sorted(set(fixed) & (set(reduced) | set(model.calibrate.get(scheme, ())))):
        raise SimulationError(
            f"{both[0]} is what the size decides",
            where=f"parameters.{both[0]}",
            expected=f"none of {', '.join(sorted(reduced))}",
            do="leave it out of the parameters",
        )
    return {**fixed, **reduced}


def under(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Points of a job of a feature model, one for each of its conditions.

    Parameters
    ----------
    parameters : mapping
        Of the job.
    """
    shared = {key: parameters[key] for key in ("kind", "model", "seed")}
    conditions = parameters["conditions"] or [{"parameters": {}}]
    return [{**shared, "parameters": {**parameters["parameters"], **one["parameters"]}} for one in conditions]


def jobs(study: Mapping[str, Any]) -> list[Job]:
    """All jobs of a study, sizes slowest, seeds fastest.

    Parameters
    ----------
    study : mapping
        A configured study as plain values.

    Raises
    ------
    SimulationError
        The model cannot be reduced so.
    """
    found = []
    calibrated = {(job.size, job.scheme): job for job in calibrations(study)}
    for size in study["sizes"]:
        groups = [tuple(study["schemes"])] if size == FULL else [(scheme,) for scheme in study["schemes"]]
        for schemes in groups:
            given = arguments(study, size, schemes[0])
            calibration = calibrated.get((size, schemes[0]))
            for seed in seeds_of(study, size, schemes):
                parameters = {**_shared(study, given), "seed": seed}
                determined = {**parameters, "calibration": calibration.name if calibration else None}
                scheme = FULL_SIZE if size == FULL else schemes[0]
                name = f"{_short(size)}_{part(scheme)}_s{seed}_{_digest(determined)}"
                found.append(Job(name, size, seed, schemes, parameters, calibration.name if calibration else ""))
    return found


def calibrations(study: Mapping[str, Any]) -> list[CalibrationJob]:
    """All calibrations of a study: of every size below the full one, in every scheme that has free factors."""
    model, how = reducible(study["model"]), dict(study["calibration"] or {})
    if not how:
        return []
    found = []
    for size in study["sizes"]:
        for scheme in study["schemes"]:
            factors = tuple(model.calibrate.get(scheme, ()))
            if size == FULL or not factors:
                continue
            shared = _shared(study, arguments(study, size, scheme), how["conditions"])
            shared["duration_ms"] = how["duration_ms"] or study["duration_ms"]
            shared["record"] = {
                key: value for key, value in shared["record"].items() if key not in ("states", "spread")
            }
            shared["record"]["voltage"] = {}
            parameters = {**shared, "seeds": list(how["seeds"]), "calibration": how, "skip_ms": study["skip_ms"]}
            reference = () if how["targets"] else tuple(_full_jobs(study))
            digest = _digest({**parameters, "factors": factors, "reference": reference})
            found.append(
                CalibrationJob(f"{_short(size)}_{part(scheme)}_{digest}", size, scheme, factors, parameters, reference)
            )
    return found


def _full_jobs(study: Mapping[str, Any]) -> list[str]:
    if FULL not in study["sizes"]:
        raise SimulationError(
            "a calibration needs the rates of the full size, which is not studied",
            where="calibration.targets",
            expected=f"target rates by condition and population, or the size {FULL:g} among the sizes",
            do="give the targets, or add the size",
        )
    return [job.name for job in jobs({**study, "sizes": [FULL]})]


def seeds_of(study: Mapping[str, Any], size: float, schemes: Sequence[str]) -> list[int]:
    """Seeds of one size in one scheme, or in several that are one there."""
    more = [
        seed
        for entry in study["further_seeds"]
        if size in entry["sizes"] and (not entry["schemes"] or set(schemes) & set(entry["schemes"]))
        for seed in entry["seeds"]
    ]
    return list(dict.fromkeys([*study["seeds"], *more]))


def all_seeds(study: Mapping[str, Any]) -> list[int]:
    """Seeds of any size, those of all sizes first."""
    return list(
        dict.fromkeys([*study["seeds"], *(seed for entry in study["further_seeds"] for seed in entry["seeds"])])
    )


def studied_neurons(study: Mapping[str, Any], net: Network) -> int:
    """Number of neurons of the populations that are studied."""
    chosen = study["populations"]
    return sum(population.size for population in net.populations if not chosen or population.name in chosen)


def condition_names(study: Mapping[str, Any]) -> list[str]:
    """Conditions of every job, in their order."""
    return list(study["conditions"]) or [UNCHANGED]


def units(study: Mapping[str, Any], size: float, scheme: str) -> tuple[int, float]:
    """Units and expected synapses of a feature model of a size, without its conditions."""
    size_of = FEATURE_MODELS[study["model"]].size
    assert size_of is not None
    return size_of(**resolved(study["model"], arguments(study, size, scheme)))


def network(study: Mapping[str, Any], size: float, scheme: str) -> Network:
    """The network of a size, with factors of 1."""
    return build(study["model"], arguments(study, size, scheme))


def reference_size(study: Mapping[str, Any]) -> float:
    """Size that the others are held against."""
    if study["reference"] is not None:
        return float(study["reference"])
    if FULL in study["sizes"]:
        return FULL

    def count(size: float) -> int:
        if is_feature(study["model"]):
            return units(study, size, study["schemes"][0])[0]
        return studied_neurons(study, network(study, size, study["schemes"][0]))

    return float(max(study["sizes"], key=count))


def same_point(job: Job, condition: Mapping[str, Any] | None, points: Sequence[Mapping[str, Any]]) -> int | None:
    """Index of the point of a run that is the simulation of a job under a condition; None if none is.

    Parameters
    ----------
    condition : mapping or None
        Settings of a condition of the study; None of a study that has none.
    points : sequence of mapping
        Parameters of the points.
    """
    if job.calibration:
        return None
    wanted = _compared(job.parameters, condition)
    return next((i for i, point in enumerate(points) if _compared(point, point.get("condition")) == wanted), None)


def _compared(parameters: Mapping[str, Any], condition: Mapping[str, Any] | None) -> str:
    """What two simulations must have in common to be the same, as text."""
    if parameters.get("kind") == "feature":
        changed = dict((condition or {}).get("parameters") or {})
        defaults = FEATURE_MODELS[parameters["model"]].defaults
        given = {**defaults, **parameters["parameters"], **changed}
        return json.dumps([parameters["model"], parameters["seed"], given], sort_keys=True, default=str)
    if parameters.get("kind") != "network":
        return ""
    same = {key: parameters[key] for key in ("model", "duration_ms", "precision", "seed")}
    signature = inspect.signature(MODELS[parameters["model"]].build).parameters
    given = {key: value.default for key, value in signature.items()} | dict(parameters["parameters"])
    record = {key: parameters["record"].get(key) or {} for key in ("spikes", "voltage", "states", "populations")}
    # probes of a study are spread over the population, those of a run are the first ones
    record["spread"] = bool(parameters["record"].get("spread"))
    changed = {key: value for key, value in (condition or {}).items() if key != "name" and value not in (None, {})}
    return json.dumps([same, given, record, changed, condition is None], sort_keys=True, default=str)


def _shared(study: Mapping[str, Any], given: Mapping[str, Any], chosen: Sequence[str] = ()) -> dict[str, Any]:
    if is_feature(study["model"]):
        changed = [
            {"name": name, "parameters": dict(settings["parameters"])} for name, settings in study["conditions"].items()
        ]
        return {"kind": "feature", "model": study["model"], "parameters": dict(given), "conditions": changed}
    conditions = [
        {
            "name": name,
            **{key: value for key, value in settings.items() if value or key not in ("stimulus", "parameters")},
        }
        for name, settings in study["conditions"].items()
        if not chosen or name in chosen
    ]
    record: dict[str, Any] = {"spikes": True, "counts_bin_ms": None, "voltage": dict(study["voltage"])}
    record |= {key: list(study[key]) for key in ("populations", "states") if study[key]}
    record |= {"spread": True} if study["voltage"] else {}
    return {
        "kind": "network",
        "model": study["model"],
        "parameters": dict(given),
        "connectome": None,
        "duration_ms": study["duration_ms"],
        "precision": study["precision"],
        "record": record,
        "conditions": conditions,
    }


def _digest(determined: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(determined, sort_keys=True).encode()).hexdigest()[:8]


def _short(size: float) -> str:
    return part(f"{size:g}".replace("e+", "e"))
