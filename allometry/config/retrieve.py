"""Configuration of the retrieve stage."""

from pydantic import Field

from allometry.settings import Model


class RetrieveConfig(Model):
    """How files are fetched from the places that the registry lists."""

    timeout_s: float = Field(
        60.0, gt=0, description="Seconds without a byte after which a place counts as not answering."
    )
    attempts: int = Field(
        3, ge=1, description="Attempts per https place; a broken download is resumed where the server allows it."
    )
    max_file_gib: float = Field(
        1024.0, gt=0, description="Size of a single file above which a download is refused, GiB."
    )
    offline: bool = Field(False, description="Use only mirrors and files that are there already; never the network.")
