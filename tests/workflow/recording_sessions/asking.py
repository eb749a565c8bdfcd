"""Collections that are asked for, and a configuration of them in a folder."""

from pathlib import Path
from typing import Any

import yaml

from allometry import cli
from allometry import config as configuration
from allometry.workflow import snakefile
from tests.retrieve.sessions.archives import Archives

ASKED: dict[str, Any] = {
    "gratings": {
        "kind": "allen_two_photon",
        "area": ["VISp"],
        "stimulus": ["drifting_gratings"],
        "one_per_animal": True,
        "stores": {
            "responses": {"kind": "responses", "options": {"stimuli": ["drifting_gratings"]}},
            "traces": {"kind": "activity"},
        },
    },
    "probes": {
        "kind": "dandi",
        "dandiset": "000021",
        "session": ["715093703"],
        "reader": "allen_neuropixels",
        "stores": {"spikes": {"kind": "spikes"}, "gratings": {"kind": "responses"}},
    },
}


def write(folder: Path, archives: Archives, **changed: Any) -> dict[str, Any]:
    """Write `allen.yaml`; what is changed of it."""
    values: dict[str, Any] = {
        "collections": ASKED,
        "services": archives.services(),
        "retrieve": {"timeout_s": 10.0, "attempts": 2},
        "homogenize": {
            "responses": ["gratings_responses", "probes_gratings"],
            "activity": ["gratings_traces"],
            "spikes": ["probes_spikes"],
        },
        **changed,
    }
    (folder / "allen.yaml").write_text(yaml.safe_dump(values))
    return values


def resolve(*options: str) -> int:
    """Ask the archives, as the command does; its exit status."""
    return cli.main(["resolve", "--configfile", "allen.yaml", *options])


def configure(values: dict[str, Any], root: Path) -> tuple[Any, Any]:
    """The configuration and its registry, as the Snakefile has them."""
    cfg = snakefile.configured(values, ["allen.yaml"], [Path()])
    return cfg, configuration.load_registry(cfg, root)
