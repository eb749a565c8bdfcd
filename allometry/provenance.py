"""What the manifest of a job's output says about the job."""

from collections.abc import Mapping
from typing import Any


def of_job(given: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance of a rule's output: what the rule says, the full configuration, and the kind of Dask cluster.

    Scripts pass Snakemake's `config` as it is at run time, not through `params`: another configuration reruns only
    what its values determine.

    Parameters
    ----------
    given : mapping
        What the rule says of itself.
    configuration : mapping
        Snakemake's `config`, as parsed from YAML.
    """
    cluster = configuration.get("cluster") or {}
    return {**given, "configuration": dict(configuration), "cluster": cluster.get("kind", "local")}
