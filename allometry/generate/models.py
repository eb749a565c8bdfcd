"""The documentation page of all models, from their registries."""

from allometry.models.catalogue.records import MODELS, Model
from allometry.models.cells import CELL_MODELS, CellModel
from allometry.models.features import FEATURE_MODELS, FeatureModel

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
mushroom body and the worm. `allometry.models.theory.rates` has the mean-field rates. `spatial_balanced` gives the
spikes of a plain loop too, and is held against `theory.SpatialBalance`. `clustered`, `efficient_coding` and `culture` give
the spikes of plain loops over their steps, and the statistics that independent implementations had (a burst of a culture has 0.81 of
its neurons in ten networks here, 0.84 +- 0.07 in an independent loop of ten, 0.89 in the three that its parameters were chosen
with). Near the noise that codes best, avalanches of `efficient_coding` span less than two decades and end like a lognormal
distribution; those of `culture` are background and bursts with nothing between: neither is near criticality. `config/models.yaml`
runs these three with the statistics that belong to them, and holds cortical networks against recordings of mice, by [virtual
recordings](virtual-recordings.md), and connectomes of worm, larva and fly against an atlas, or against their own wiring.

`multi_area` is held against the 254 published full-scale rates (`tests/fullscale_rates.json` of its authors): they are the mean-field
rates of the derived in-degrees, with g −16 and no factors of the external input, within 0.01 Hz. Simulated alone at 0.6 of its neurons,
area MDP has all its published rates above 1 Hz within 1 %. Scaled down much further, few and strong synapses keep the mean and the variance
of the input, not its distribution: with all areas at 0.1, V1, V2, VP and V3, which have the fewest synapses per neuron, are silent, and the
means of the populations over all areas are 0.5 to 1 of the published ones (23I 0.47, 4E 0.98, 4I 0.73, 5I 0.69, 6I 0.58); at 0.05 they are
0.1 to 0.5, and at 0.01 nothing fires. Areas need about a thousand of their inputs: V1, of 3950, has half its rates at 0.3.
The derived in-degrees sum to 27.7 billion
synapses, where 24.2 are published. The state published with g −11 needs in-degrees that are stabilised (Schuecker et al. 2017), which are
not derived here: without them mean-field theory finds no low rates there.
"""


FEATURES = """\
## Feature models

Units that respond to stimuli, without spikes: a model returns the responses themselves. In a configuration it is a run of
`kind: feature`, whose points are Responses stores; with `responses: {}` all points are also gathered in one, which comparisons of
recordings read under `simulated`.

    from allometry.models import features
    made = features.build("cerebellum_like", {"degree": 4}, seed=1)  # made.response [unit, presentation]

Each is compared with numbers that were measured independently of it (`tests/models/features`). A model that is fitted says so; the
fit is a job of its own (`results/simulated/{run}/*.fit.json`), and a store of responses says whether it converged, and what it left.
"""


CELLS = """\
## Cells under clamp

Single cells with ion channels. In a configuration they stand under `simulate.clamps`, each clamp a job and a Clamp store,
`results/simulated/{name}.clamp.zarr`: voltage [cell, genotype, step, time], current [cell, genotype, channel, step, time], and the
rest, the peak and the steady state of each step.

    simulate:
      clamps:
        bk:
          cells: [AIY]
          protocol: current  # or voltage: steps in mV, from `holding_mv`
          amplitudes: [-15, 0, 15, 30]
          onset_ms: 1000
          duration_ms: 5000
          knockouts: {slo1: [SLO1]}  # beside the wild type
          parameters: {g_SHL1: 0.6}  # nS

A knock-out of a gene takes every current that needs it: of `EGL19` also the potassium channels that are coupled to it; a current
(`SLO1_EGL19`) can be named alone. What a cell does not have cannot be removed from it, or set. From Python:

    from allometry.models.cells import WORM_CELLS, changed
    from allometry.simulate.clamps.protocol import recorded
    traces = recorded(changed(WORM_CELLS.cells["AIY"], ["SLO1"]), "current", [15.0], onset_ms=1000.0, duration_ms=5000.0)
    traces.voltage  # mV [step, time]

The voltages are those of NEURON with the public model files: at the end of all 57 published steps of seven cells within 0.002 mV, 50
ms after the onset within 0.25 mV, at time steps of 0.1 ms here and up to 0.4 ms there (`tests/simulate/clamps`). A voltage clamp that
holds where a current has led takes that current. All steps of a cell take 0.03 to 0.7 s together on one core.

"""


def documentation() -> str:
    """One section per model, with a table of its parameters and their defaults."""
    sections = [HEADER]
    for name, model in MODELS.items():
        needs = " Needs a Connectome store." if model.needs_connectome else ""
        sections.append(_section(name, model, f"{model.description}{needs}"))
    sections.append(FEATURES)
    for name, feature in FEATURE_MODELS.items():
        fitted = f" It is fitted; the fit depends on {', '.join(f'`{key}`' for key in feature.fitted_by)} and the seed."
        title = f"{name}: trials" if name in MODELS else name
        sections.append(_section(title, feature, f"{feature.description}{fitted if feature.fit else ''}"))
    sections.append(CELLS + "\n".join(_cells(model) for model in CELL_MODELS.values()))
    return "\n".join(sections)


def _cells(model: CellModel) -> str:
    rows = [
        f"| {cell.name} | {cell.area_cm2 * 1e8:g} | {cell.capacitance_uf_cm2:g} | {cell.e_leak_mv:g} "
        f"| {'calcium of the cell' if cell.e_ca_mv is None else f'{cell.e_ca_mv:.2f}'} "
        f"| {', '.join(f'{name} {value:.4g}' for name, value in cell.conductance_ns.items())} |"
        for cell in model.cells.values()
    ]
    return (
        f"### {model.name}\n\n{model.description}\n\nSource: {model.source}.\n\n"
        "| cell | area (um2) | C (uF/cm2) | E_leak (mV) | E_Ca (mV) | conductances (nS) |\n|---|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def _section(name: str, model: Model | FeatureModel, said: str) -> str:
    rows = [
        f"| `{parameter}` | `{_shown(model.defaults[parameter])}` | {text} |"
        for parameter, text in model.parameters.items()
    ]
    return (
        f"## {name}\n\n{said}\n\nSource: {model.source}.\n\n"
        "| parameter | default | |\n|---|---|---|\n" + "\n".join(rows) + "\n" + _schemes(model)
    )


def _schemes(model: Model | FeatureModel) -> str:
    """Schemes that a model can be reduced by, where it can."""
    if model.reduce is None:
        return ""
    lines = [f"| `{name}` | {said}{_calibrated(model, name)} |" for name, said in model.schemes.items()]
    return (
        "\nIts size can be [studied](scaling.md):\n\n| scheme | what it keeps |\n|---|---|\n" + "\n".join(lines) + "\n"
    )


def _calibrated(model: Model | FeatureModel, scheme: str) -> str:
    free = model.calibrate.get(scheme, ()) if isinstance(model, Model) else ()
    names = ", ".join(f"`{name}`" for name in free)
    return f"; calibrated: {names}" if names else ""


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if value == ():
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
