"""The canonical worm axis; oracles: White et al. 1986 (302 neurons, 118 classes), and what Cook's sheets say of types."""

import re

import pytest

from allometry.errors import ReaderError
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.worm.neurons import (
    NEURONS,
    canonical,
    canonical_names,
    cell_type,
    worm_nodes,
)


def test_the_hermaphrodite_has_302_neurons_in_118_classes():
    assert len(NEURONS) == len(set(NEURONS)) == 302
    assert list(NEURONS) == sorted(NEURONS)
    assert worm_nodes(NEURONS)["class_"].nunique() == 118
    assert {"CANL", "CANR"} <= set(NEURONS)
    pharynx = [name for name in NEURONS if re.fullmatch(r"(I\d|M\d|MC|MI|NSM)[LR]?", name)]
    assert len(pharynx) == 20  # Albertson & Thomson 1976


def test_partners_are_mutual_and_of_the_same_class_and_type():
    table = worm_nodes(NEURONS)
    paired = table[table["partner"] != ""]
    for name, row in paired.iterrows():
        other = table.loc[row["partner"]]
        assert other["partner"] == name
        assert (other["class_"], other["type"]) == (row["class_"], row["type"])
    assert table.at["AVAL", "partner"] == "AVAR"
    assert table.at["SMDDL", "partner"] == "SMDDR"
    # Names that end in L or R without being one of a pair.
    assert [table.at[name, "partner"] for name in ("AVL", "PVR", "RIR", "AQR", "PQR", "RMED", "SABD")] == [""] * 7


def test_26_classical_gaba_neurons_are_inhibitory():
    table = worm_nodes(NEURONS)
    inhibitory = set(table.index[table["sign"] == -1])
    expected = {f"DD{i}" for i in range(1, 7)} | {f"VD{i}" for i in range(1, 14)}
    expected |= {"RMED", "RMEV", "RMEL", "RMER", "AVL", "DVB", "RIS"}  # McIntire et al. 1993
    assert inhibitory == expected
    assert (table.loc[sorted(inhibitory), "neurotransmitter"] == "GABA").all()


def test_a_sign_that_nobody_knows_is_0():
    table = worm_nodes(NEURONS)
    unknown = table["sign"] == 0
    assert unknown[table["neurotransmitter"] == ""].all()
    assert sorted(table.index[unknown & (table["neurotransmitter"] != "")]) == ["ALA", "RIBL", "RIBR"]
    assert not (table.loc[table["neurotransmitter"] == "GABA", "sign"] > 0).any()
    nodes = worm_nodes(["AVAL", "CEMDL", "BWM-DL01", "AWCON", "hmc"])["sign"]
    assert nodes[["AVAL", "AWCON", "CEMDL"]].tolist() == [1, 1, 0]
    assert nodes[["BWM-DL01", "hmc"]].isna().all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("VB02", "VB2"),
        ("VB10", "VB10"),
        (" AVAL ", "AVAL"),
        ("avfl", "AVFL"),
        ("dBWML1", "BWM-DL01"),
        ("MDL01", "BWM-DL01"),
        ("vBWMR24", "BWM-VR24"),
        ("excgl", "exc_gl"),
        ("AWCOF", "AWCOFF"),
        ("MANAL", "mu_anal"),
        ("AWC?", None),
        ("RMED/V", None),
        ("VB12", None),  # there are eleven
        ("VB0", None),
        ("", None),
        ("ZZ9", None),
    ],
)
def test_aliases(name, expected):
    assert canonical(name) == expected


def test_canonical_names_are_fixed_points():
    for name in NEURONS:
        assert canonical(name) == name
        padded = re.sub(r"^(AS|[DV][ABD]|VC)(\d)$", r"\g<1>0\2", name)
        assert canonical(padded) == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("BWM-DL01", "muscle"),
        ("vm2AL", "muscle"),
        ("dglL1", "muscle"),
        ("pm3VL", "pharynx"),
        ("CEPshDL", "glia"),
        ("exc_cell", "excretory"),
        ("hyp", "epithelium"),
        ("CEMDL", "sensory"),
        ("AWCON", "sensory"),
        ("ASHL", "sensory"),
        ("AVAL", "inter"),
        ("VB2", "motor"),
    ],
)
def test_types(name, kind):
    assert cell_type(name) == kind
    assert worm_nodes([name]).at[name, "type"] == kind


def test_unknown_name_is_an_error_that_names_the_nearest():
    with pytest.raises(ReaderError, match="AVAL") as error:
        canonical_names(["AVAR", "AVALL"], "file.csv")
    assert "AVALL" in error.value.what
    assert error.value.where == "file.csv"


def test_types_agree_with_the_groups_of_cook2019(mirror):
    path = next((mirror / "celegans_connectome").glob("SI 5*.xlsx"))
    groups = {"SENSORY NEURONS": "sensory", "INTERNEURONS": "inter", "MOTOR NEURONS": "motor"}
    rows = spreadsheets.read_sheet(path, "hermaphrodite chemical")[3:]
    group, checked = None, 0
    for row in rows:
        group = row[0] or group
        name = canonical(row[2]) if row[2] else None
        if group in groups and name:
            assert cell_type(name) == groups[group], name
            checked += 1
    assert checked == 302 - 20 - 2 - 8  # all but pharynx, CAN, HSN and VC
