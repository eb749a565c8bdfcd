"""Kinds of comparison and the modules that compute them; light to import, since every parse of the workflow does."""

from allometry.errors import ComparisonError

KINDS: dict[str, str] = {
    "structure_function": "worm",
    "connectome_agreement": "worm_agreement",
    "propagation": "propagation",
    "structure_bold": "human",
    "activity_structure": "worm_activity",
    "connectome_reservoir": "connectome_reservoir",
    "population_code": "population_code",
    "representation_similarity": "representation_similarity",
    "dynamic_connectome": "worm_dynamics",
    "activity_manifolds": "activity_manifolds",
    "model_recovery": "model_recovery",
    "spike_statistics": "spike_statistics",
}
"""Module of `allometry.compare` of each kind of comparison; the function has the name of the kind.

Where memory or work is a question, the module also has `estimates(inputs, **options)`, an iterable of
`blockwise.Estimate`, which the runner logs before anything is computed.
"""


def module_of(kind: str) -> str:
    """Dotted name of the module of a kind, for its fingerprint."""
    if kind not in KINDS:
        raise ComparisonError(f"unknown kind of comparison {kind!r}", expected="one of " + ", ".join(KINDS))
    return f"allometry.compare.{KINDS[kind]}"
