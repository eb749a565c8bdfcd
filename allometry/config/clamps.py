"""Configuration of cells under clamp: steps of current or voltage, with knock-outs and other parameters."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from allometry.settings import Model

WILD_TYPE = "wild_type"
_Number = Annotated[float, Field(allow_inf_nan=False)]


class ClampConfig(Model):
    """Steps of current or voltage into single cells: a Clamp store."""

    model: str = Field("worm_cells", description="Model of single cells.")
    cells: list[str] = Field(min_length=1, description="Cells of the model, as AIY, RIM, AVAL, AVAR, VA5, VB6, VD5.")
    protocol: Literal["current", "voltage"] = Field(
        description="`current`: steps of injected current, and the voltage is found; `voltage`: the other way round."
    )
    amplitudes: list[_Number] = Field(
        min_length=1, description="Steps, in pA of a current clamp, in mV of a voltage clamp."
    )
    onset_ms: float = Field(1000.0, gt=0, description="Time before the step, in ms.")
    duration_ms: float = Field(1000.0, gt=0, description="Length of the step, in ms.")
    after_ms: float = Field(0.0, ge=0, description="Time after the step, in ms.")
    holding_mv: _Number = Field(
        -65.0,
        description="Voltage at the start, at which all gates have their rest, in mV; a voltage clamp holds it before and after "
        "the step.",
    )
    knockouts: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="By name: genes (EGL19, SLO1) or currents (SLO1_EGL19) that are removed; each is recorded beside the wild type.",
    )
    parameters: dict[str, _Number] = Field(
        default_factory=dict,
        description="Of every cell and genotype: capacitance_uf_cm2, e_leak_mv, e_ca_mv (where it is constant), and conductances "
        "as g_EGL19, in nS.",
    )
    dt_ms: float = Field(
        0.1, gt=0, le=1, description="Time step, in ms; that of the published programs is 0.025 to 0.4."
    )
    sample_ms: float = Field(1.0, gt=0, description="Time between stored samples, in ms: whole time steps.")

    @model_validator(mode="after")
    def _times_are_whole_steps(self) -> Self:
        for name in ("onset_ms", "duration_ms", "after_ms", "sample_ms"):
            steps = getattr(self, name) / self.dt_ms
            if not math.isclose(steps, round(steps), rel_tol=1e-9, abs_tol=1e-6):
                raise ValueError(
                    f"{name} is {getattr(self, name):g}, no whole number of time steps of {self.dt_ms:g} ms"
                )
        if WILD_TYPE in self.knockouts:
            raise ValueError(f"{WILD_TYPE} is recorded in any case: give the knock-out another name")
        return self
