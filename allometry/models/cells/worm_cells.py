"""`worm_cells`: interneurons and motor neurons of the worm with the channels that they express.

C dV/dt = -sum g_x n_x(V, t, Ca) (V - E_x) + I, one isopotential compartment each, at 6.3 degrees. E_K is -80 mV, that of NCA
30 mV; that of calcium is a constant, or follows the calcium in the cell, as the published programs run: NEURON overrides the
60 mV that they set wherever a mechanism uses the concentration. The gates are in `allometry.simulate.kernels.channels`.
All published traces begin at -65 mV with every gate at its rest there, and so do these.
"""

import math

from allometry.models.cells.records import CELL_MODELS, Cell, CellModel

RT_PER_F_MV = 24.081
"""At 6.3 degrees Celsius."""
_FROM_65_NM = 0.5 * RT_PER_F_MV * math.log(2.0 / 5e-5)
_STEPS_10 = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)
_STEPS_5 = (-15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0)
_RIM_CM2 = 103.34e-8

_CELLS = (
    Cell("AIY", 65.89e-8, 1.6, -89.57, _FROM_65_NM,
         {"LEAK": 0.14, "NCA": 0.06, "EGL19": 0.1, "SHL1": 0.5, "KQT1": 0.2, "SLO1": 1.0, "SLO1_EGL19": 0.92},
         1000.0, 5000.0, _STEPS_5),
    # published in S/cm2, the others in nS
    Cell("RIM", _RIM_CM2, 1.5, -50.0, 60.0,
         {name: density * _RIM_CM2 * 1e9 for name, density in {
             "LEAK": 9.676795045480941e-5, "EGL19": 3.2005818627638106e-4, "UNC2": 9.676795045480941e-5,
             "CCA1": 8.451919806776876e-4, "SHL1": 9.048750067326097e-4, "EGL2": 1.411644285181245e-4,
             "IRK": 3.272854640954744e-4}.items()},
         5000.0, 5000.0, _STEPS_5),
    Cell("AVAL", 1123.84e-8, 0.859551, -39.0, 60.0,
         {"LEAK": 0.150164, "EGL19": 0.104385, "IRK": 0.1},
         1023.0, 1000.0, _STEPS_10),
    Cell("AVAR", 1121.79e-8, 0.751761, -37.0, 60.0,
         {"LEAK": 0.225225, "NCA": 0.0493356, "EGL19": 0.0643372, "IRK": 0.042079, "UNC103": 0.0481669},
         1023.0, 1000.0, _STEPS_10),
    Cell("VA5", 389.3e-8, 1.5, -70.0, None,
         {"LEAK": 0.1, "NCA": 0.01, "EGL19": 0.15, "SHK1": 0.1, "IRK": 1.0, "SLO2": 3.0, "SLO2_EGL19": 3.0},
         5000.0, 1000.0, _STEPS_10),
    Cell("VB6", 524.64e-8, 1.5, -52.0, None,
         {"LEAK": 0.13, "NCA": 0.03, "EGL19": 0.1, "UNC2": 0.1, "SHK1": 0.4, "IRK": 1.0, "SLO1": 1.0, "SLO2": 2.0,
          "SLO1_EGL19": 0.2, "SLO1_UNC2": 1.0, "SLO2_EGL19": 1.75, "SLO2_UNC2": 1.0},
         5000.0, 1000.0, _STEPS_10),
    Cell("VD5", 351.53e-8, 1.0, -75.0, None,
         {"LEAK": 0.2, "NCA": 0.09, "EGL19": 0.9, "CCA1": 0.1, "SHK1": 1.2, "IRK": 0.7, "SLO2": 1.7, "SLO2_EGL19": 1.7},
         5000.0, 1000.0, _STEPS_10),
)  # fmt: skip

WORM_CELLS = CellModel(
    "worm_cells",
    "AIY, RIM, AVAL, AVAR, VA5, VB6 and VD5 of C. elegans with their ion channels, each one compartment.",
    "Nicoletti et al., PLoS ONE 19 e0298105 (2024); channels: PLoS ONE 14 e0218738 (2019)",
    {cell.name: cell for cell in _CELLS},
)
CELL_MODELS[WORM_CELLS.name] = WORM_CELLS
