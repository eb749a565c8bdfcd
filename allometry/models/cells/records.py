"""What a model of single cells says of each of them, and what knock-outs and other parameters make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from allometry.errors import SimulationError
from allometry.hints import hint

CAPACITANCE, E_LEAK, E_CA, G = "capacitance_uf_cm2", "e_leak_mv", "e_ca_mv", "g_"


@dataclass(frozen=True)
class Cell:
    """One isopotential cell.

    Parameters
    ----------
    name : str
        As electrophysiologists call it.
    area_cm2 : float
        Of its membrane.
    capacitance_uf_cm2 : float
        Specific capacitance.
    e_leak_mv : float
        Reversal potential of the leak.
    e_ca_mv : float or None
        Reversal potential of calcium; None: that of the calcium that enters and leaves the cell.
    conductance_ns : mapping of str to float
        Maximal conductance of each current, nS.
    onset_ms, duration_ms : float
        Of the published step of current.
    amplitudes_pa : sequence of float
        Of the published steps.
    removed : tuple of str
        Currents that knock-outs took away.
    """

    name: str
    area_cm2: float
    capacitance_uf_cm2: float
    e_leak_mv: float
    e_ca_mv: float | None
    conductance_ns: Mapping[str, float]
    onset_ms: float
    duration_ms: float
    amplitudes_pa: Sequence[float]
    removed: tuple[str, ...] = ()

    @property
    def genes(self) -> tuple[str, ...]:
        """What can be knocked out: every gene that one of its currents needs."""
        return tuple(dict.fromkeys(gene for current in self.conductance_ns for gene in current.split("_")))

    @property
    def parameters(self) -> dict[str, float]:
        """What can be set, with its values: conductances as `g_EGL19`, nS."""
        own = {CAPACITANCE: self.capacitance_uf_cm2, E_LEAK: self.e_leak_mv}
        if self.e_ca_mv is not None:
            own[E_CA] = self.e_ca_mv
        return own | {f"{G}{current}": value for current, value in self.conductance_ns.items()}


@dataclass(frozen=True)
class CellModel:
    """Cells that can be named in a configuration.

    Parameters
    ----------
    name, description, source : str
        Name, one line, and publication.
    cells : mapping of str to Cell
        The cells.
    """

    name: str
    description: str
    source: str
    cells: Mapping[str, Cell] = field(default_factory=dict)

    def cell(self, name: str) -> Cell:
        """The cell of this name.

        Raises
        ------
        SimulationError
            There is none.
        """
        if name not in self.cells:
            raise SimulationError(
                f"the model {self.name} has no cell {name!r}",
                where="cells",
                expected="one of " + ", ".join(self.cells),
                do=hint(name, self.cells),
            )
        return self.cells[name]


CELL_MODELS: dict[str, CellModel] = {}
"""Models of cells by name."""


def cell_model(name: str) -> CellModel:
    """The model of this name.

    Raises
    ------
    SimulationError
        There is none.
    """
    if name not in CELL_MODELS:
        raise SimulationError(
            f"unknown model of cells {name!r}",
            where="model",
            expected="one of " + ", ".join(CELL_MODELS),
            do=hint(name, CELL_MODELS),
        )
    return CELL_MODELS[name]


def changed(cell: Cell, knockouts: Sequence[str] = (), parameters: Mapping[str, float] | None = None) -> Cell:
    """A cell with other parameters, and without the currents that need a gene which is knocked out.

    A channel that is coupled to a calcium channel needs both: without EGL19 there is no SLO1_EGL19.

    Parameters
    ----------
    cell : Cell
        As published.
    knockouts : sequence of str
        Genes, or currents (`SLO1_EGL19`), by name.
    parameters : mapping of str to float, optional
        `Cell.parameters` that are others: `capacitance_uf_cm2`, `e_leak_mv`, `e_ca_mv`, and conductances as `g_EGL19`, nS.

    Returns
    -------
    Cell
        Its removed currents have the conductance 0.

    Raises
    ------
    SimulationError
        The cell has no such channel or parameter, or the value is out of range.
    """
    conductance = dict(cell.conductance_ns)
    own: dict[str, float] = {}
    for name, value in (parameters or {}).items():
        if name not in cell.parameters:
            raise SimulationError(
                f"{cell.name} has no parameter {name!r}",
                where="parameters",
                expected="one of " + ", ".join(cell.parameters),
                do=hint(name, cell.parameters),
            )
        if name not in (E_LEAK, E_CA) and (value < 0 or (name == CAPACITANCE and value == 0)):
            raise SimulationError(
                f"{name} is {value:g}",
                where="parameters",
                expected="more than 0" if name == CAPACITANCE else "0 or more",
            )
        if name.startswith(G):
            conductance[name.removeprefix(G)] = float(value)
        else:
            own[name] = float(value)
    removed = []
    for name in knockouts:
        gone = [current for current in cell.conductance_ns if name == current or name in current.split("_")]
        if not gone:
            known = list(dict.fromkeys([*cell.genes, *cell.conductance_ns]))
            raise SimulationError(
                f"{cell.name} has no channel {name!r} that could be knocked out",
                where="knockouts",
                expected="one of " + ", ".join(known),
                do=hint(name, known),
            )
        removed += gone
    conductance |= dict.fromkeys(removed, 0.0)
    return replace(cell, conductance_ns=conductance, removed=tuple(dict.fromkeys(removed)), **own)  # type: ignore[arg-type]
