"""Column names of published connectome tables, as their publishers document them.

- `codex`: exports of Codex (FlyWire v783, BANC): connections.csv.gz with one row per pair and neuropil, and the tables
  classification, neurons, consolidated_cell_types and coordinates (in nm, several rows per neuron). Source: the schema in
  github.com/murthylab/codex, codex/data/catalog.py.
- `flywire`: proofread_connections_783.feather (Zenodo 10676866): one row per pair and neuropil, with the mean score of each
  transmitter. Source: the description of the record.
- `microns`: synapse and cell tables of CAVE for minnie65_public: one row per synapse, positions in voxels of 4 x 4 x 40 nm. Source:
  the documentation of its key tables (AllenSWDB). Id 0 is no cell.
- `neuprint`: hemibrain and other neuPrint data sets: traced-total-connections.csv (or adjacencies per neuropil, fetch_adjacencies)
  and neurons (traced-neurons.csv, fetch_neurons), positions in voxels of 8 nm.
"""

from collections.abc import Mapping
from typing import Any

_TRANSMITTERS = {
    "ACH": "acetylcholine",
    "GABA": "GABA",
    "GLUT": "glutamate",
    "DA": "dopamine",
    "SER": "serotonin",
    "OCT": "octopamine",
}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "codex": {
        "source": "pre_root_id",
        "target": "post_root_id",
        "weight": "syn_count",
        "nodes_label": "root_id",
        "nodes_columns": {
            "type": "super_class",
            "class_": "class",
            "cell_type": "primary_type",
            "side": "side",
            "neurotransmitter": "nt_type",
            "neurotransmitter_confidence": "nt_type_score",
        },
        "nodes_position": "position",
        "transmitter_names": _TRANSMITTERS,
        "units": {"x": "nm", "y": "nm", "z": "nm"},
    },
    "flywire": {
        "source": "pre_pt_root_id",
        "target": "post_pt_root_id",
        "weight": "syn_count",
        "transmitter_scores": {name: f"{short.lower()}_avg" for short, name in _TRANSMITTERS.items()},
        "nodes_label": "root_id",
        "nodes_columns": {
            "type": "super_class",
            "class_": "cell_class",
            "cell_type": "cell_type",
            "side": "side",
            "x": "pos_x",
            "y": "pos_y",
            "z": "pos_z",
        },
        "voxel": (4.0, 4.0, 40.0),
        "units": {"x": "nm", "y": "nm", "z": "nm"},
    },
    "microns": {
        "source": "pre_pt_root_id",
        "target": "post_pt_root_id",
        "weight": None,
        "leave_out_ids": ["0"],
        "nodes_label": "pt_root_id",
        "nodes_columns": {"type": "cell_type", "class_": "classification_system"},
        "nodes_position": "pt_position",
        "voxel": (4.0, 4.0, 40.0),
        "units": {"x": "nm", "y": "nm", "z": "nm"},
    },
    "neuprint": {
        "source": "bodyId_pre",
        "target": "bodyId_post",
        "weight": "weight",
        "nodes_label": "bodyId",
        "nodes_columns": {"type": "type", "class_": "instance"},
        "nodes_position": "somaLocation",
        "voxel": (8.0, 8.0, 8.0),
        "units": {"x": "nm", "y": "nm", "z": "nm"},
    },
}
"""Options by the name of the layout; those that a configuration sets come before them."""


def completed(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Options with what their `layout` says in place of those that have their default."""
    preset = PRESETS.get(str(options["layout"]), {})
    return {key: preset[key] if key in preset and value == defaults[key] else value for key, value in options.items()}
