"""Configuration of collections: recording sessions of public archives, by number or by a query."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from allometry.config.registry import StoreEntry
from allometry.pathnames import EXPECTED, is_name
from allometry.retrieve.sessions.brain_map import STIMULI
from allometry.settings import Model

Acronym = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_.-]+$")]
Number = Annotated[int, Field(gt=0)]


class Services(Model):
    """Addresses of the archives: others where they are reached through a proxy."""

    brain_map: str = Field(
        "https://api.brain-map.org",
        pattern=r"^https?://[^?#]*[^/?#]$",
        description="Query service of the Allen Institute.",
    )
    allen_files: str = Field(
        "https://allen-brain-observatory.s3.us-west-2.amazonaws.com",
        pattern=r"^https?://[^?#]*[^/?#]$",
        description="Public copies of the Allen Institute's files.",
    )
    dandi: str = Field(
        "https://api.dandiarchive.org/api",
        pattern=r"^https?://[^?#]*[^/?#]$",
        description="Service of the DANDI archive.",
    )


class Collection(Model):
    """Sessions of one archive; each is a data set of its own, with the stores that are listed here."""

    criteria: ClassVar[tuple[str, ...]]
    """Keys of which at least one says which sessions are meant."""

    kind: str
    most: int | None = Field(None, ge=1, description="At most so many sessions, the lowest numbers first; null: all.")
    one_per_animal: bool = Field(False, description="Of an animal with several such sessions, the first alone.")
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the reader for all stores.")
    stores: dict[str, StoreEntry] = Field(
        min_length=1,
        description="Stores of every session, by the ending of their names: `<collection>_<session>_<ending>`. In the rest "
        "of the configuration `<collection>_<ending>` stands for those of all sessions.",
    )

    @property
    def reads_with(self) -> str:
        """Reader of the files."""
        return self.kind

    @field_validator("stores")
    @classmethod
    def _plain_endings(cls, value: dict[str, StoreEntry]) -> dict[str, StoreEntry]:
        for ending in value:
            if not is_name(ending):
                raise ValueError(f"{ending!r} is no valid name: {EXPECTED}")
        return value

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not any(getattr(self, key) for key in self.criteria):
            raise ValueError(f"nothing says which sessions are meant; give at least one of {', '.join(self.criteria)}")
        return self

    def query(self) -> dict[str, Any]:
        """What is asked of the archive: all but what is made of the sessions."""
        return self.model_dump(mode="json", exclude={"options", "stores", "reader"})


def _known_stimuli(kind: str, value: list[str]) -> list[str]:
    known = {*STIMULI[kind], *(name for shown in STIMULI[kind].values() for name in shown)}
    for name in value:
        if name not in known:
            raise ValueError(f"no session shows {name!r}; one of {', '.join(sorted(known))}")
    return value


class TwoPhotonSessions(Collection):
    """Two-photon sessions of the Allen Brain Observatory (NWB 1), by the query service of the Allen Institute."""

    criteria = ("session", "container", "area", "cre_line", "stimulus")

    kind: Literal["allen_two_photon"] = Field(description="Two-photon sessions of the Allen Brain Observatory.")
    session: list[Number] = Field(default_factory=list, description="Numbers of sessions (`ophys experiments`).")
    container: list[Number] = Field(
        default_factory=list, description="Numbers of containers: the sessions of one field of cells."
    )
    area: list[Acronym] = Field(default_factory=list, description="Cortical areas, such as VISp.")
    cre_line: list[str] = Field(default_factory=list, description="Driver lines, such as Cux2-CreERT2.")
    stimulus: list[str] = Field(
        default_factory=list,
        description="Stimuli, such as drifting_gratings, or kinds of session, such as three_session_A.",
    )
    min_depth_um: float | None = Field(None, ge=0, description="Least depth of the plane, um; null: any.")
    max_depth_um: float | None = Field(None, ge=0, description="Greatest depth of the plane, um; null: any.")
    failed: bool = Field(False, description="Also containers that failed the Allen Institute's quality control.")

    @field_validator("stimulus")
    @classmethod
    def _stimuli(cls, value: list[str]) -> list[str]:
        return _known_stimuli("allen_two_photon", value)


class NeuropixelsSessions(Collection):
    """Neuropixels sessions of Visual Coding (NWB 2), by the query service of the Allen Institute."""

    criteria = ("session", "area", "cre_line", "stimulus")

    kind: Literal["allen_neuropixels"] = Field(
        description="Neuropixels sessions of the Allen Institute's Visual Coding."
    )
    session: list[Number] = Field(default_factory=list, description="Numbers of sessions.")
    area: list[Acronym] = Field(
        default_factory=list,
        description="Areas in which a session has channels; the reader's option `areas` chooses units.",
    )
    cre_line: list[str] = Field(default_factory=list, description="Driver lines, such as Sst-IRES-Cre, or wt.")
    stimulus: list[str] = Field(
        default_factory=list, description="Stimuli, or kinds of session, such as brain_observatory_1.1."
    )

    @field_validator("stimulus")
    @classmethod
    def _stimuli(cls, value: list[str]) -> list[str]:
        return _known_stimuli("allen_neuropixels", value)


class DandiSessions(Collection):
    """Files of a dandiset, with the checksums that the DANDI archive publishes."""

    criteria = ("session", "asset", "path")

    kind: Literal["dandi"] = Field(description="Files of a dandiset.")
    reader: str = Field("nwb", description="Reader of the files; `allen_neuropixels` for those of 000021 and 000022.")
    dandiset: str = Field(pattern=r"^[0-9]{6}$", description='Number of the dandiset, in quotes, such as "000021".')
    version: str = Field(
        "draft", pattern=r"^(draft|[0-9]+(\.[0-9]+)+)$", description="Published version, or draft, which may change."
    )
    session: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]] = Field(
        default_factory=list, description="What stands behind `ses-` in the names of the files, in quotes."
    )
    asset: list[Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]] = Field(
        default_factory=list, description="Identifiers of assets."
    )
    path: str | None = Field(
        None,
        min_length=1,
        description="Pattern of the paths of assets, with `*`; null: any. With `session`: among these.",
    )

    @property
    def reads_with(self) -> str:
        """Reader of the files."""
        return self.reader


AnyCollection = Annotated[TwoPhotonSessions | NeuropixelsSessions | DandiSessions, Field(discriminator="kind")]
