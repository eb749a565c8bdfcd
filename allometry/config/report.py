"""Configuration of the report stage."""

from pydantic import Field

from allometry.settings import Model


class ReportConfig(Model):
    """The report page."""

    title: str = Field("Allometry", description="Title of the page.")
    raster_ms: float = Field(1000.0, gt=0, description="Time window of the spike rasters, in ms.")
    raster_units: int = Field(800, ge=1, description="Neurons drawn in a raster, sampled from every population.")
