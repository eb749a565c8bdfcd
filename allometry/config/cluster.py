"""Configuration of the Dask cluster that simulations run on."""

from typing import Literal, Self

from pydantic import Field, model_validator

from allometry.config.base import Model


class ClusterConfig(Model):
    """Where the partitions of a simulation run."""

    kind: Literal["local", "slurm", "address", "allocation"] = Field(
        "local",
        description="`local`: workers on this machine; `slurm`: workers as SLURM jobs (Snakemake on the login node); "
        "`address`: an existing scheduler; `allocation`: the tasks of the surrounding SLURM job.",
    )
    address: str | None = Field(None, description="Address of the scheduler for kind `address`, e.g. tcp://host:8786.")
    queue: str | None = Field(None, description="SLURM partition for kind `slurm`.")
    memory: str = Field("4GB", description="Memory per worker for kind `slurm`, with unit.")
    walltime: str = Field("01:00:00", description="Wall time of a worker job for kind `slurm`, hh:mm:ss.")
    interface: str | None = Field(
        None, description="Network interface that the workers exchange spikes on; null: Dask's choice."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "address" and not self.address:
            raise ValueError("kind `address` needs the key `address`, e.g. tcp://host:8786")
        return self
