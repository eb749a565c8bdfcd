"""Stores: what passes between the stages, xarray objects in Zarr v3 with a schema and a manifest.

Eight kinds (Activity, Connectome, Responses, Spikes, Scores, Scaling, Compute, Clamp), and stacks of connectomes on one axis
(Stack); only this package knows their schemas. Plain `xarray.open_zarr` and `xarray.open_datatree` open every store;
`stores.open` also finds damage.
"""

from allometry.stores.access.pynapple import to_pynapple
from allometry.stores.access.structures import require_kind, split, to_csr, to_dense, to_networkx, to_trials, trains
from allometry.stores.attributes import attribute, set_attributes
from allometry.stores.folders.catalog import catalog
from allometry.stores.kinds import KINDS, schema_of, validate, violations
from allometry.stores.kinds.activity import Recording, activity
from allometry.stores.kinds.clamp import clamp
from allometry.stores.kinds.compute import compute
from allometry.stores.kinds.connectome import SYNAPSES, connectome
from allometry.stores.kinds.responses import responses
from allometry.stores.kinds.scaling import scaling
from allometry.stores.kinds.scores import scores
from allometry.stores.kinds.spikes import spikes_recorded, spikes_simulated
from allometry.stores.kinds.stack import stack
from allometry.stores.storage.manifest import manifest_path, read_manifest, verify
from allometry.stores.storage.publication import require_free
from allometry.stores.storage.store import open_store as open
from allometry.stores.storage.store import write
from allometry.stores.summaries.differences import diff
from allometry.stores.writers.edges import EdgeWriter
from allometry.stores.writers.spikes import SpikeWriter

__all__ = [
    "KINDS",
    "SYNAPSES",
    "EdgeWriter",
    "Recording",
    "SpikeWriter",
    "activity",
    "attribute",
    "catalog",
    "clamp",
    "compute",
    "connectome",
    "diff",
    "manifest_path",
    "open",
    "read_manifest",
    "require_free",
    "require_kind",
    "responses",
    "scaling",
    "schema_of",
    "scores",
    "set_attributes",
    "spikes_recorded",
    "spikes_simulated",
    "split",
    "stack",
    "to_csr",
    "to_dense",
    "to_networkx",
    "to_pynapple",
    "to_trials",
    "trains",
    "validate",
    "verify",
    "violations",
    "write",
]
