"""Configuration of the report stage."""

from pydantic import Field

from allometry.settings import Model


class ReportConfig(Model):
    """The report page."""

    title: str = Field("Allometry", description="Title of the page.")
    raster_ms: float = Field(200.0, gt=0, description="Time window of the spike rasters, in ms.")
    raster_units: int = Field(
        400, ge=1, description="Neurons drawn in a raster, sampled from all populations in proportion."
    )
