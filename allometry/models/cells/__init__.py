"""Single cells with ion channels, which are recorded under clamp: their conductances, and what one may change of them."""

from allometry.models.cells.records import CELL_MODELS, Cell, CellModel, cell_model, changed
from allometry.models.cells.worm_cells import WORM_CELLS

__all__ = ["CELL_MODELS", "WORM_CELLS", "Cell", "CellModel", "cell_model", "changed"]
