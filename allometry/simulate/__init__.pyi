from .runner import run as run
from .signal_propagation import propagation as propagation
