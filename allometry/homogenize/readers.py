"""All readers by name: the key `reader` of an entry in `config/datasets.yaml`."""

from allometry.homogenize import cook2019, randi2023
from allometry.homogenize.reader import Reader

READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        cook2019.READER,
        randi2023.READER,
    )
}
