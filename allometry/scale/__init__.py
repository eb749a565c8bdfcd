"""Studies of scaling: one model at several sizes, what its statistics keep, what they lose, and what that saves.

`jobs` says what is simulated, `statistics` what is taken of each simulation, `calibration` finds factors that restore the rates,
`deviations` and `laws` hold the sizes against one another, `causes` says what theory makes of them, and `study` writes the store.
"""

from allometry.scale.statistics.records import STATISTICS, Statistic, statistic

__all__ = ["STATISTICS", "Statistic", "statistic"]
