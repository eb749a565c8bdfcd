"""Every figure of the report as a function of stores, for scripts and notebooks.

    from allometry.report import figures

    drawing = figures.spikes("results/simulated/microcircuit/scale0.1_s1_0123abcd.zarr", window_ms=500)
    drawing.figure.axes[0].set_title("My title")
    drawing.numbers                      # all that is drawn, as a table
    drawing.save("spikes.svg")           # .png, .svg, .pdf, or .csv for the numbers

A store is a path, or what `allometry.stores.open` gives. In a notebook a drawing shows itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from allometry import stores
from allometry.errors import ReportError
from allometry.report import comparisons
from allometry.report import features as of_features
from allometry.report.drawing import style
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.forest import forest as draw_forest
from allometry.report.drawing.parts import rows_of
from allometry.report.kinds import clamps as of_clamps
from allometry.report.kinds import connectomes as of_connectomes
from allometry.report.kinds import recordings as of_recordings
from allometry.report.kinds import responses as of_responses
from allometry.report.kinds import spikes as of_spikes
from allometry.report.kinds import stacks as of_stacks
from allometry.report.kinds import tuning as of_tuning
from allometry.report.scaling import coarse as of_coarse
from allometry.report.scaling import compute as of_compute
from allometry.report.scaling import conditions as of_conditions
from allometry.report.scaling import distance as of_distance
from allometry.report.scaling import laws as of_laws
from allometry.report.scaling import overview
from allometry.report.scaling import statistics as of_statistics
from allometry.stores.schema import Data

Store = str | Path | xr.Dataset | xr.DataTree
"""A store: its path, or what `allometry.stores.open` gives."""
Stores = Store | Sequence[Store] | Mapping[str, Store]
"""One or several stores of a kind; a mapping names them."""


class _Read(dict[str, Any]):
    """Opened stores by name, with the paths of those that were given by path."""

    def __init__(self, given: Stores, kind: str) -> None:
        super().__init__()
        several: Any = [given] if isinstance(given, str | Path | xr.Dataset | xr.DataTree) else given
        named = several.items() if isinstance(several, Mapping) else [(_name(store), store) for store in several]
        self.paths: list[str] = []
        for name, store in named:
            opened: Data = store
            if isinstance(store, str | Path):
                self.paths.append(Path(store).as_posix())
                opened = stores.open(store)
            found = str(opened.attrs.get("schema", "")).lower()
            if found != kind:
                raise ReportError(
                    f"a store of kind {found or 'unknown'} is no {kind}",
                    where=str(store) if isinstance(store, str | Path) else str(opened.attrs.get("title", "")),
                    expected=f"stores of kind {kind}",
                    do="see allometry.report.plots.PLOTS for the figures of each kind",
                )
            while name in self:
                name = f"{name} "
            self[name] = opened
        if not self:
            raise ReportError("there is no store to draw", expected=f"one or several stores of kind {kind}")

    @property
    def one(self) -> Any:
        """The first store."""
        return next(iter(self.values()))

    @property
    def name(self) -> str:
        """Name of the first one."""
        return next(iter(self))


def _name(store: Store) -> str:
    if isinstance(store, str | Path):
        return Path(store).name.removesuffix(".zarr")
    return str(store.attrs.get("title", "store"))


def _finished(drawing: Drawing, paths: Sequence[str], plot: str, **options: Any) -> Drawing:
    return replace(drawing, stores=tuple(paths), plot=plot, options=options)


def _common(read: _Read) -> str:
    """What several stores of one run are called: the folder that they lie in."""
    folders = {Path(path).parent.name for path in read.paths}
    return folders.pop() if len(read) > 1 and len(folders) == 1 else read.name


def connectome(store: Store) -> Drawing:
    """The matrix of a connectome, with the distributions of its degrees and weights and its most connected nodes.

    Parameters
    ----------
    store : path or Dataset
        A Connectome store.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "connectome")
    with style.context():
        return _finished(of_connectomes.draw_one(read.one, read.name), read.paths, "connectome")


def connectomes(store: Stores) -> Drawing:
    """Numbers of connections, degrees and weights of several connectomes, a row for each.

    Parameters
    ----------
    store : path, Dataset, or several of them
        Connectome stores.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "connectome")
    with style.context():
        return _finished(of_connectomes.draw_many(read), read.paths, "connectomes")


def propagation(store: Stores) -> Drawing:
    """Matrices of simulated signal propagation at several settings, on one axis and one scale.

    Parameters
    ----------
    store : path, Dataset, or several of them
        Connectome stores that a propagation run has made.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "connectome")
    with style.context():
        return _finished(of_connectomes.draw_propagation(read, _common(read)), read.paths, "propagation")


def recordings(store: Store) -> Drawing:
    """Traces beside correlations, spectra and dimensions of the recordings of a store.

    Parameters
    ----------
    store : path or DataTree
        An Activity store.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "activity")
    with style.context():
        return _finished(of_recordings.draw_one(read.one, read.name), read.paths, "recordings")


def coverage(store: Stores) -> Drawing:
    """Which neuron or region was recorded in which recording of one or several stores.

    Parameters
    ----------
    store : path, DataTree, or several of them
        Activity stores.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "activity")
    with style.context():
        return _finished(of_recordings.draw_coverage(read), read.paths, "coverage")


def responses(store: Store) -> Drawing:
    """Mean response of every unit to every condition, and how much of it comes back with other repeats.

    Parameters
    ----------
    store : path or Dataset
        A Responses store.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "responses")
    with style.context():
        return _finished(of_responses.draw(read.one, read.name), read.paths, "responses")


def features(store: Stores) -> Drawing:
    """Responses of the points of a run of a feature model, as the model is drawn.

    Parameters
    ----------
    store : path, Dataset, or several of them
        Responses stores of one feature model.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "responses")
    with style.context():
        return _finished(of_features.draw(read, _common(read)), read.paths, "features")


def tuning(store: Store, spikes: Sequence[Store] | Mapping[str, Store] = ()) -> Drawing:
    """Maps, activity, tuning, selectivity, rates and spectra of simulated cortex that was shown gratings.

    Parameters
    ----------
    store : path or Dataset
        A Responses store with the `direction` of every presentation.
    spikes : sequence of path or Dataset, or mapping
        Spikes stores of its networks under one condition, by the name of the network where they are a mapping.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "responses")
    if "direction" not in read.one:
        raise ReportError(
            "the responses are not to directions",
            where=read.paths[0] if read.paths else read.name,
            expected="a presentation table with `direction`, as of gratings",
            do="draw them with `responses`",
        )
    beside = _Read(spikes, "spikes") if len(spikes) else None
    named = (
        {}
        if beside is None
        else beside
        if isinstance(spikes, Mapping)
        else {of_tuning.network_of(ds, of_tuning.areas(read.one)): ds for ds in beside.values()}
    )
    with style.context():
        drawing = of_tuning.draw(read.one, named, read.name.removesuffix(".responses"))
    return _finished(drawing, [*read.paths, *(beside.paths if beside is not None else [])], "tuning")


def spikes(store: Stores, window_ms: float = of_spikes.WINDOW_MS, units: int = of_spikes.UNITS) -> Drawing:
    """Rasters on common axes, rates by population, distribution of rates and spectra of one or several stores.

    Parameters
    ----------
    store : path, Dataset, or several of them
        Spikes stores; those that differ in their seed alone are drawn as one.
    window_ms : float
        The rasters show the last `window_ms`.
    units : int
        Neurons in a raster.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "spikes")
    given = {"window_ms": (window_ms, of_spikes.WINDOW_MS), "units": (units, of_spikes.UNITS)}
    options = {name: value for name, (value, default) in given.items() if value != default}
    with style.context():
        return _finished(of_spikes.draw(read, _common(read), window_ms, units), read.paths, "spikes", **options)


def stack(store: Store) -> Drawing:
    """One matrix for each connectome of a stack.

    Parameters
    ----------
    store : path or Dataset
        A Stack store.

    Returns
    -------
    Drawing
    """
    read = _Read(store, "stack")
    with style.context():
        return _finished(of_stacks.draw(read.one, read.name), read.paths, "stack")


def clamp(store: Store) -> Drawing:
    """Traces of cells under clamp, and current against voltage of the wild type and of knock-outs.

    Parameters
    ----------
    store : path or Dataset
        A Clamp store.
    """
    with style.context():
        read = _Read(store, "clamp")
        return _finished(of_clamps.draw(read.one, read.name.removesuffix(".clamp")), read.paths, "clamp")


def study(store: Store) -> Drawing:
    """What a scaling study loses and gains: deviations, verdicts, costs and theory against size.

    Parameters
    ----------
    store : path
        A Scaling store, with the file of costs beside it.
    """
    return _of_study(store, "study", overview.draw)


def statistics(store: Store, chosen: Sequence[str] = (), theme: str = "") -> Drawing:
    """Statistics of a scaling study against size.

    Parameters
    ----------
    store : path
        A Scaling store.
    chosen : sequence of str
        Those that are drawn; none: all.
    theme : str
        What they have in common, for the title.
    """
    return _of_study(store, "statistics", partial(of_statistics.draw, chosen=chosen, theme=theme))


def conditions(store: Store) -> Drawing:
    """Every statistic against the parameter that its conditions are values of, of the path of a Scaling store."""
    return _of_study(store, "conditions", of_conditions.draw)


def coarse(store: Store) -> Drawing:
    """Errors of a coarse-grained V1, a Scores store with maps of pixels: maps, pixel against pixel, and every scheme."""
    read = _Read(store, "scores")
    with style.context():
        return _finished(of_coarse.draw(read.one), read.paths, "coarse")


def distance(store: Store) -> Drawing:
    """Correlation against distance at every size beside theory, of the path of a Scaling store of a network in space."""
    return _of_study(store, "distance", of_distance.draw)


def laws(store: Stores) -> Drawing:
    """What all studies lose, what they gain, and their exponents, of the paths of Scaling stores with their costs beside them."""
    return _of_study(store, "laws", of_laws.draw, several=True)


def compute(store: Store) -> Drawing:
    """How wall time and memory scale, of the path of a Compute store with the file of costs beside it."""
    return _of_study(store, "compute", of_compute.draw, "compute")


def _of_study(store: Stores, plot: str, draw: Any, kind: str = "scaling", several: bool = False) -> Drawing:
    read = _Read(store, kind)
    if not read.paths:
        expected = f"the path of a {kind.capitalize()} store"
        raise ReportError("a study is drawn from its path", expected=expected, do="its costs lie beside it")
    with style.context():
        return _finished(draw(read.paths if several else read.paths[0]), read.paths, plot)


def comparison(store: Store) -> Drawing:
    """The Scores of a comparison as its kind is drawn; a forest plot where the kind has no drawing of its own.

    Parameters
    ----------
    store : path or DataTree
        A Scores store.
    """
    read = _Read(store, "scores")
    with style.context():
        return _finished(comparisons.draw(read.one, read.name), read.paths, "comparison")


def forest(store: Store) -> Drawing:
    """Every score of a Scores store with its interval, a line for each and a panel for each measure."""
    read = _Read(store, "scores")
    with style.context():
        drawing = replace(draw_forest(rows_of(read.one)), title=str(read.one.attrs["title"]))
        return _finished(drawing, read.paths, "forest")
