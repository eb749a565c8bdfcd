"""The canonical axis of the C. elegans hermaphrodite: 302 neuron names, their classes, partners, types and aliases.

Names are written without zeros (`VB2`, not `VB02`), sorted alphabetically. The facts are in
`tables/worm_classes.csv`, which names their sources. Non-neuronal cells have canonical names and types of their own:
body wall muscles are `BWM-DL01` whatever a source calls them (`dBWML1`, `MDL01`).
"""

import functools
import re
from collections.abc import Iterable

import pandas as pd

from allometry import hints
from allometry.errors import ReaderError
from allometry.homogenize import tables

_MIRROR = {"L": "R", "R": "L", "DL": "DR", "DR": "DL", "VL": "VR", "VR": "VL"}


@functools.cache
def _table() -> pd.DataFrame:
    neurons = []
    for row in tables.load("worm_classes.csv"):
        members = row["members"]
        if members.startswith("1.."):
            suffixes = [str(i + 1) for i in range(int(members[3:]))]
        else:
            suffixes = ["" if members == "-" else s for s in members.split()]
        for suffix in suffixes:
            twin = _MIRROR.get(suffix, "")
            neurons.append(
                {
                    "label": row["class"] + suffix,
                    "class_": row["class"],
                    "type": row["type"],
                    "neurotransmitter": row["neurotransmitter"],
                    "sign": float(row["sign"]),
                    "partner": row["class"] + twin if twin in suffixes and twin else "",
                }
            )
    return pd.DataFrame(neurons).set_index("label").sort_index()


NEURONS: tuple[str, ...] = tuple(_table().index)
"""Names of the 302 neurons of the hermaphrodite, alphabetical: the canonical axis."""

_NEURON_SET = frozenset(NEURONS)

NEURON_TYPES = ("sensory", "inter", "motor")
SIGN_CONVENTION = (
    "a convention of models by the main transmitter of the class: -1 for the classical GABA neurons (DD, VD, RME, AVL, DVB, RIS), "
    "+1 for the other neurons with a known transmitter (glutamate and monoamines can inhibit, too), 0 (unknown) for neurons "
    "without one and for ALA and RIB, whose GABA has no known effect; NaN for cells that are no neurons"
)
"""What `sign` of the nodes of a worm connectome means, for `derived`."""

# Neurons that only the male has, by type (Cook et al. 2019, SI 5, groups of the male sheets).
_MALE_SENSORY = re.compile(r"CEM[DV][LR]|R[1-9][AB][LR]|PHD[LR]|HO[AB]|PC[ABC][LR]|SP[CDV][LR]")
_MALE_INTER = re.compile(r"MCM[LR]|PV[VXYZ]|DV[EF]|DX[1-4]|EF[1-4]|PDC|PGA|C[AP]\d\d?")

_CELLS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("muscle", r"BWM-[DV][LR]\d\d|LegacyBodyWallMuscles|BodyWallMuscles|DefecationMuscles"),
        (
            "muscle",
            r"(vm|um)[12]([AP][LR])?|MVULVA|mu_(int[LR]|anal|sph)|dgl[LR]\d|(aob|pob|gec|grt|cdl|ail|pil|pol)[LR]",
        ),
        ("muscle", r"(dsp|vsp|dsr|vsr)[LR]|NMJ"),
        ("pharynx", r"pm\d(D|V[LR])?|mc[123]?(D[LR]|V)?|e[123](D|V[LR])|g1(p|A[LR])|g2[LR]|G[12]|bm"),
        ("glia", r"CEPsh[DV][LR]|GLR([DV]?[LR])"),
        ("excretory", r"exc_(cell|gl)"),
        ("epithelium", r"hyp|int|R\d(st|sh)[LR]|proctodeum"),
        ("other", r"hmc|gonad"),
        ("fragment", r"Fragment|NR_fragment|VAn|vncfrag"),
        ("sensory", r"AWC(ON|OFF)"),
        ("sensory", _MALE_SENSORY.pattern),
        ("inter", _MALE_INTER.pattern),
    )
)

_ALIASES = {
    "excgl": "exc_gl",
    "AWCOF": "AWCOFF",  # the five-character ids of the signal propagation atlas are cut
    "MANAL": "mu_anal",
}
_NUMBERED = re.compile(r"(AS|DA|DB|DD|VA|VB|VC|VD|CA|CP|DX|EF)0*(\d+)")
_COOK_MUSCLE = re.compile(r"([dv])BWM([LR])0*(\d+)")
_OPENWORM_MUSCLE = re.compile(r"M([DV])([LR])0*(\d+)")
_UPPER = {name.upper(): name for name in NEURONS}


def canonical(name: str) -> str | None:
    """Canonical name of a neuron or another cell of the worm, or None if the name is not known.

    Blanks around the name and zeros before a number are removed, letter case of neurons is ignored where it is
    unambiguous (`avfl`), and aliases are resolved (`VB02`, `dBWML1`, `MDL01`, `excgl`). An ambiguous name (`AWC?`,
    `RMED/V`) is not known.

    Examples
    --------
    >>> canonical("VB02"), canonical("dBWML1"), canonical("AWC?")
    ('VB2', 'BWM-DL01', None)
    """
    name = str(name).strip()
    if name in _NEURON_SET:
        return name
    name = _ALIASES.get(name, name)
    if match := _NUMBERED.fullmatch(name):
        name = f"{match[1]}{int(match[2])}"
    elif match := _COOK_MUSCLE.fullmatch(name):
        name = f"BWM-{match[1].upper()}{match[2]}{int(match[3]):02d}"
    elif match := _OPENWORM_MUSCLE.fullmatch(name):
        name = f"BWM-{match[1]}{match[2]}{int(match[3]):02d}"
    name = _UPPER.get(name.upper(), name)
    return name if name in _NEURON_SET or cell_type(name) is not None else None


def cell_type(name: str) -> str | None:
    """Type of a canonical name (sensory, inter, motor, muscle, pharynx, glia, ...), or None if it is not known."""
    if name in _NEURON_SET:
        return str(_table().at[name, "type"])
    return next((kind for kind, pattern in _CELLS if pattern.fullmatch(name)), None)


def nearest(name: str) -> str:
    """Known neuron name nearest to an unknown one, for error messages; "" if none is near."""
    near = hints.nearest(str(name).strip().upper(), NEURONS, cutoff=0.6)
    return near[0] if near else ""


def canonical_names(names: Iterable[object], where: str) -> list[str]:
    """Canonical names of all `names`; an unknown one is a `ReaderError` that names the nearest."""
    out = []
    for name in names:
        known = canonical(str(name)) if isinstance(name, str) else None
        if known is None:
            near = nearest(str(name))
            raise ReaderError(
                f"unknown neuron name {name!r}",
                where=where,
                expected="one of the 302 neurons, or a cell as Cook, Witvliet, White or OpenWorm name it",
                do=f"perhaps {near!r} is meant" if near else "correct the name in the file",
            )
        out.append(known)
    return out


def worm_nodes(labels: Iterable[str]) -> pd.DataFrame:
    """Node table for canonical names.

    Parameters
    ----------
    labels : iterable of str
        Canonical names of neurons and other cells; repetitions are allowed.

    Returns
    -------
    pandas.DataFrame
        Index `label`, sorted; columns `type`, `class_`, `neurotransmitter`, `sign` (0 where unknown, NaN for cells that are
        no neurons), `partner`.
    """
    index = pd.Index(sorted(set(labels)), name="label")
    nodes = _table().reindex(index)
    nodes["type"] = [cell_type(label) or "other" for label in index]
    for column in ("class_", "neurotransmitter", "partner"):
        nodes[column] = nodes[column].fillna("").astype(object)
    # Neurons of the male alone are in no table of transmitters.
    nodes.loc[nodes["sign"].isna() & nodes["type"].isin(NEURON_TYPES), "sign"] = 0.0
    # Cells outside the axis have classes too where the name says so: AWCON, AWCOFF.
    awc = index.str.startswith("AWC")
    nodes.loc[awc, "class_"] = "AWC"
    nodes.loc[awc, "neurotransmitter"] = "glutamate"
    nodes.loc[awc, "sign"] = 1.0
    return nodes[["type", "class_", "neurotransmitter", "sign", "partner"]]
