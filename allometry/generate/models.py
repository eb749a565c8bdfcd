"""The documentation page of all network models, from their registry."""

import inspect

from allometry.models.records import MODELS, Model

HEADER = """\
# Models

Generated from `allometry/models` by `python -m allometry.generate`. A model is a function that returns a
declarative `Network`; `simulate.run` runs any of them:

    from allometry import models, simulate
    spikes = simulate.run(models.microcircuit(scale=0.1), duration_ms=1000, seed=1, store="out.zarr")

In a configuration, `model` is the name and `parameters` are those below; a list is swept.

**How they are checked.** The sizes, weights and inputs of the microcircuit are compared with an independent definition that
is also given to NEST; its rates, irregularity and synchrony, and the distributions over neurons of rate, irregularity and
pairwise correlation, are compared with NEST by Kolmogorov-Smirnov distances that must not exceed those between NEST's own
seeds (`python -m benchmarks.microcircuit_reference`). Networks with listed edges give NEST's spikes exactly
(`tests/reference`). `connectome_lif` gives the spike counts of a plain integration of the published equations on the fly
mushroom body and the worm. `allometry.models.theory` has the mean-field rates.
"""


def documentation() -> str:
    """One section per model, with a table of its parameters and their defaults."""
    sections = [HEADER]
    for name, model in MODELS.items():
        defaults = inspect.signature(model.build).parameters
        needs = " Needs a Connectome store.\n" if model.needs_connectome else "\n"
        rows = [
            f"| `{parameter}` | `{_shown(defaults[parameter].default)}` | {said} |"
            for parameter, said in model.parameters.items()
        ]
        sections.append(
            f"## {name}\n\n{model.description}{needs}\nSource: {model.source}.\n\n"
            "| parameter | default | |\n|---|---|---|\n" + "\n".join(rows) + "\n" + _schemes(model)
        )
    return "\n".join(sections)


def _schemes(model: Model) -> str:
    """Schemes that a model can be reduced by, where it can."""
    if model.reduce is None:
        return ""
    lines = [f"| `{name}` | {said}{_calibrated(model, name)} |" for name, said in model.schemes.items()]
    return (
        "\nIts size can be [studied](scaling.md):\n\n| scheme | what it keeps |\n|---|---|\n" + "\n".join(lines) + "\n"
    )


def _calibrated(model: Model, scheme: str) -> str:
    names = ", ".join(f"`{name}`" for name in model.calibrate.get(scheme, ()))
    return f"; calibrated: {names}" if names else ""


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if value == ():
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
