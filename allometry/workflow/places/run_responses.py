"""Responses of a run to its stimuli, in one store: where they lie, and what they are made of."""

from typing import Any

from allometry import config as configuration
from allometry.config import Config
from allometry.simulate.stimuli import shown


def responses_of(run: str) -> list[str]:
    """Path of the responses of a run and of their manifest."""
    return [f"results/simulated/{run}.responses.zarr", f"results/simulated/{run}.responses.manifest.json"]


def trials(cfg: Config, run: str) -> list[dict[str, Any]]:
    """Every network of a run under every condition, for its responses (`simulate.responses.Trial`, `features.gather`)."""
    entry = cfg.simulate.runs[run]
    assert not isinstance(entry, configuration.PropagationRun)
    found = []
    for one in configuration.points(entry):
        given = one.parameters["parameters"]
        told = [f"{key} {value:g}" if isinstance(value, float | int) else str(value) for key, value in given.items()]
        trial: dict[str, Any] = {
            "network": ", ".join([*told, f"seed {one.parameters['seed']}"]),
            "path": f"results/simulated/{run}/{one.name}.zarr",
        }
        if isinstance(entry, configuration.NetworkRun):
            settings = one.parameters.get("condition", {})
            trial |= {"condition": settings.get("name", ""), "stimulus": shown(entry.model, given, settings)}
        found.append(trial)
    return found


def responses_options(cfg: Config, run: str) -> dict[str, Any]:
    """How the responses of a run are taken."""
    entry = cfg.simulate.runs[run]
    assert not isinstance(entry, configuration.PropagationRun)
    assert entry.responses is not None
    return {"model": entry.model, **entry.responses.model_dump()}


def with_responses(cfg: Config) -> list[str]:
    """Runs whose responses are written."""
    return [
        name
        for name, run in cfg.simulate.runs.items()
        if not isinstance(run, configuration.PropagationRun) and run.responses is not None
    ]


def drawn(cfg: Config, run: str) -> dict[str, str]:
    """The responses of a run, and by network its spikes under the first condition."""
    first: dict[str, str] = {}
    for trial in trials(cfg, run):
        first.setdefault(trial["network"], trial["path"])
    return {run: responses_of(run)[0], **first}
