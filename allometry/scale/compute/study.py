"""The result of a study of compute scaling: what was done as a store, what it took and what follows from it beside the store."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from allometry import stores
from allometry.models.catalogue.records import FULL
from allometry.scale.compute.amounts import SPIKE_BYTES, Amounts, described
from allometry.scale.compute.cost_model import CostModel, band, fit
from allometry.scale.compute.extrapolation import extrapolated
from allometry.scale.jobs import reducible
from allometry.scale.simulations import read_json
from allometry.simulate.build.estimate import PROCESS_BYTES

PARTS = ("simulations", "exchange", "stages")
"""What is measured by a job of its own."""


def write_compute(
    study: Mapping[str, Any],
    name: str,
    out: str | Path,
    *,
    measured: Mapping[str, str | Path],
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Gather what the jobs of a study of compute scaling measured, fit the cost model, test it, and carry it over.

    Parameters
    ----------
    study : mapping
        As configured, see `config.compute.ComputeConfig`.
    name : str
        Its name.
    out : path
        Compute store to write; `{name}.costs.json` appears beside it.
    measured : mapping of str to path
        What the jobs wrote, by `PARTS`.
    provenance : mapping, optional
        For the manifest.
    """
    out = Path(out)
    simulations, exchange, stages = (read_json(measured[part]) for part in PARTS)
    runs = [{**one, "amounts": Amounts(**one["amounts"])} for one in simulations["points"]]
    costs = costs_of(study, runs, exchange, stages, simulations)
    text = (json.dumps(costs, indent=1, sort_keys=True) + "\n").encode()
    stores.write(
        _store(study, name, runs, exchange, stages),
        out,
        overwrite=True,
        provenance=dict(provenance or {}),
        beside={out.with_name(f"{out.stem}.costs.json"): text},
    )


def costs_of(
    study: Mapping[str, Any],
    runs: Sequence[Mapping[str, Any]],
    exchange: Mapping[str, Any],
    stages: Mapping[str, Any],
    simulations: Mapping[str, Any],
) -> dict[str, Any]:
    """What the runs took, the cost model, its error where it was not fitted, and what it says of other machines.

    Returns
    -------
    dict
        For JSON: `runs` (measured beside predicted; `fitted` says which), `exchange`, `stages`, `model`, `band`, `extrapolated`,
        `machine` (as configured), `cores` and `others`, the largest share of the machine that others used before a run.
    """
    model = fit(
        [one for one in runs if one["partitions"] == 1], exchange["points"], exchange["passed_s"], simulations["cores"]
    )
    rows = [_beside(model, study["duration_ms"] / 1e3, one) for one in runs]
    factor = band([one["ratio"] for one in rows if not one["fitted"]])
    full = _per_second(study, runs)
    networks = {
        _called(study): full,
        **{name: described(**values) for name, values in study["networks"].items()},
    }
    return {
        "runs": rows,
        "exchange": [_exchange_beside(model, one) for one in exchange["points"]],
        "stages": stages["points"],
        "model": model.as_dict(),
        "band": factor,
        "extrapolated": extrapolated(model, networks, study["machine"], factor, PROCESS_BYTES),
        "machine": study["machine"],
        "cores": simulations["cores"],
        "cpu": simulations["cpu"],
        "others": max(part["others"] for part in (simulations, exchange, stages)),
        "duration_ms": study["duration_ms"],
        "repeats": study["repeats"],
    }


def _beside(model: CostModel, seconds: float, one: Mapping[str, Any]) -> dict[str, Any]:
    """Wall seconds per biological second and memory of a run, measured and predicted."""
    amounts: Amounts = one["amounts"]
    predicted = model.seconds(amounts, one["partitions"], one["threads"])
    memory = one["partitions"] * amounts.memory_bytes(one["partitions"], one["threads"], PROCESS_BYTES) / 2**30
    return {
        **{key: one[key] for key in ("experiment", "size", "partitions", "threads", "build_s", "memory_gib")},
        "neurons": amounts.neurons,
        "rtf": one["sim_s"] / seconds,
        "predicted": predicted / seconds,
        "ratio": one["sim_s"] / predicted,
        "parts": {
            name: part / seconds for name, part in model.parts(amounts, one["partitions"], one["threads"]).items()
        },
        "predicted_gib": memory,
        "fitted": one["partitions"] == 1,
    }


def _exchange_beside(model: CostModel, one: Mapping[str, Any]) -> dict[str, Any]:
    crowding = max(1.0, one["partitions"] / model.cores)
    received = (one["partitions"] - 1) * one["message_bytes"]
    predicted = model.exchange.seconds(one["partitions"], received, crowding)
    return {**one, "predicted_s": predicted}


def _called(study: Mapping[str, Any]) -> str:
    largest = max(study["sizes"])
    return str(study["model"]) if largest == FULL else f"{study['model']} at {largest:g}"


def _per_second(study: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> Amounts:
    """Amounts of the largest size in one biological second."""
    largest: Amounts = max((one for one in runs if one["experiment"] == "strong"), key=lambda one: one["size"])[
        "amounts"
    ]
    seconds = study["duration_ms"] / 1e3
    per_second = {name: getattr(largest, name) / seconds for name in ("steps", "rounds", "spikes", "events")}
    return replace(largest, **per_second)


def _store(
    study: Mapping[str, Any],
    name: str,
    runs: Sequence[Mapping[str, Any]],
    exchange: Mapping[str, Any],
    stages: Mapping[str, Any],
) -> Any:
    rows = []
    for one in runs:
        amounts: Amounts = one["amounts"]
        rows.append(
            {
                **{key: one[key] for key in ("experiment", "size", "partitions", "threads")},
                **{key: round(getattr(amounts, key)) for key in ("neurons", "synapses", "spikes", "events", "rounds")},
                "message_bytes": SPIKE_BYTES * amounts.spikes / amounts.rounds / one["partitions"],
            }
        )
    rows += [
        {"experiment": "exchange", "partitions": one["partitions"], "message_bytes": one["message_bytes"]}
        for one in exchange["points"]
    ]
    rows += [
        {"experiment": one["experiment"], "partitions": one["workers"], "tasks": one["tasks"]}
        for one in stages["points"]
    ]
    empty = {"experiment": "", "size": 0.0, "threads": 1, "message_bytes": 0.0}
    names = [
        *("experiment", "size", "partitions", "threads", "neurons", "synapses", "spikes", "events", "rounds"),
        *("message_bytes", "tasks"),
    ]
    sizes = max(study["sizes"])
    return stores.compute(
        {key: [row.get(key, empty.get(key, 0)) for row in rows] for key in names},
        attrs={
            "title": f"Compute scaling of {study['model']}: {name}",
            "species": "none",
            "citation": reducible(study["model"]).source,
            "licence": "none",
            "source": {},
            "parameters": dict(study),
            "derived": {
                "spikes": "the same for any number of partitions and threads",
                "size": f"{study['scheme']} of strong scaling, {study['weak_scheme']} of weak scaling; the largest is {sizes:g}"
                + ("" if sizes == FULL else ", which stands for the model where it is carried over"),
            },
            "model": study["model"],
            "duration_ms": float(study["duration_ms"]),
        },
    )
