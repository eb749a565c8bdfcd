"""Configuration of the Dask cluster that simulations run on."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from allometry.settings import Model


class ClusterConfig(Model):
    """Where the partitions of a simulation run."""

    kind: Literal["local", "slurm", "address", "allocation"] = Field(
        "local",
        description="`local`: workers on this machine; `slurm`: workers as SLURM jobs (Snakemake on the login node); "
        "`address`: an existing scheduler; `allocation`: the tasks of the surrounding SLURM job.",
    )
    address: str | None = Field(None, description="Address of the scheduler for kind `address`, e.g. tcp://host:8786.")
    queue: str | None = Field(None, description="SLURM partition for kind `slurm`.")
    account: str | None = Field(None, description="SLURM account for kind `slurm`; null: the user's default.")
    qos: str | None = Field(None, description="SLURM quality of service for kind `slurm`; null: the account's default.")
    memory: str = Field("4GB", description="Memory per worker for kind `slurm`, with unit.")
    walltime: str = Field("01:00:00", description="Wall time of a worker job for kind `slurm`, hh:mm:ss.")
    interface: str | None = Field(
        None, description="Network interface that the workers exchange spikes on; null: Dask's choice."
    )
    exchange: Literal["auto", "mpi", "socket", "memory"] = Field(
        "auto",
        description="How partitions exchange spikes. `auto`: by MPI between ranks that `mpirun` or `srun` started and where "
        "mpi4py is installed, else in shared memory on one host and over sockets between hosts; the others ask for one way.",
    )
    dashboard: bool = Field(
        False,
        description="Serve Dask's dashboard of the cluster on the loopback interface, for kinds other than `address`; "
        "other users of the machine can look at it.",
    )
    tls_ca_file: str | None = Field(
        None, description="PEM file of the authority of the scheduler's certificate, for kind `address`."
    )
    tls_client_cert: str | None = Field(None, description="PEM file of your own certificate, for kind `address`.")
    tls_client_key: str | None = Field(None, description="PEM file of its key, for kind `address`.")

    @field_validator("walltime", mode="before")
    @classmethod
    def _in_quotes(cls, value: object) -> object:
        """YAML reads 10:00:00 as a number to the base of 60."""
        if isinstance(value, int) and not isinstance(value, bool):
            raise ValueError('put the time in quotes, as "10:00:00": YAML takes it for a number')
        if isinstance(value, str) and not re.fullmatch(r"(\d+-)?\d{1,3}:[0-5]\d(:[0-5]\d)?", value):
            raise ValueError("a time expected, as 01:00:00 (hh:mm:ss) or 2-00:00:00")
        return value

    @field_validator("memory")
    @classmethod
    def _with_unit(cls, value: str) -> str:
        if not re.fullmatch(r"\d+(\.\d+)? ?[kKMGT]i?B", value):
            raise ValueError("a size with its unit expected, as 4GB or 500MB")
        return value

    @field_validator("address")
    @classmethod
    def _of_scheduler(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[a-z]+://\S+", value):
            raise ValueError("the address of a scheduler expected, as tcp://host:8786")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "address" and not self.address:
            raise ValueError("kind `address` needs the key `address`, e.g. tcp://host:8786")
        return self
