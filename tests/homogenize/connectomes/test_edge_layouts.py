"""Exports of Codex, the FlyWire release, CAVE and neuPrint, and transmitters named by rows; all numbers are made up."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allometry import stores
from tests.homogenize.connectomes.edges import (
    edges,
    read,
)


def gz(path: Path, text: str) -> Path:
    with gzip.open(path, "wt") as file:
        file.write(text)
    return path


IDS = [720575940600000000 + i for i in range(4)]


def codex(folder: Path) -> list[Path]:
    """Tables with the headers of Codex (FlyWire v783), contents made up."""
    a, b, c, d = IDS
    return [
        gz(
            folder / "connections.csv.gz",
            f"pre_root_id,post_root_id,neuropil,syn_count,nt_type\n{a},{b},AL_R,3,ACH\n{a},{b},AL_L,9,ACH\n"
            f"{b},{c},LO_R,6,GABA\n{c},{a},LO_R,2,GLUT\n{d},{a},LO_R,7,\n",
        ),
        gz(
            folder / "neurons.csv.gz",
            "root_id,group,nt_type,nt_type_score,da_avg,ser_avg,gaba_avg,glut_avg,ach_avg,oct_avg\n"
            f"{a},AL,ACH,0.9,0,0,0,0,.9,0\n{b},AL,GABA,0.62,0,0,.6,0,0,0\n{c},LO,GLUT,0.3,0,0,0,.3,0,0\n{d},LO,,,0,0,0,0,0,0\n",
        ),
        gz(
            folder / "classification.csv.gz",
            "root_id,flow,super_class,class,sub_class,hemilineage,side,nerve\n"
            f"{a},intrinsic,central,ALPN,,x,right,\n{b},intrinsic,central,ALLN,,y,left,\n{c},intrinsic,optic,,,,center,\n",
        ),
        gz(
            folder / "coordinates.csv.gz",
            f"root_id,position,supervoxel_id\n{a},[100 200 300],1\n{a},[999 999 999],2\n{b},[400 500 600],3\n{c},[7 8 9],4\n",
        ),
    ]


def test_exports_of_codex(tmp_path: Path) -> None:
    files = codex(tmp_path)
    options = {
        "layout": "codex",
        "file": "connections.csv.gz",
        "nodes_file": ["neurons.csv.gz", "classification.csv.gz", "coordinates.csv.gz"],
        "min_confidence": 0.5,
        "signs": {"acetylcholine": 1, "GABA": -1, "glutamate": -1},
    }
    dataset = read(*files, **options)
    a, b, c, d = map(str, IDS)
    assert edges(dataset) == {(a, b): 12, (b, c): 6, (c, a): 2, (d, a): 7}
    table = dataset[["type", "class_", "side", "neurotransmitter", "neurotransmitter_confidence", "sign", "x", "z"]]
    of = table.to_dataframe()
    assert of.loc[a].tolist() == ["central", "ALPN", "right", "acetylcholine", 0.9, 1.0, 100.0, 300.0]
    assert of.loc[b, ["side", "neurotransmitter", "sign"]].tolist() == ["left", "GABA", -1.0]
    assert of.loc[c, ["neurotransmitter", "sign", "x"]].tolist() == ["", 0.0, 7.0]  # below the confidence
    assert np.isnan(of.loc[d, "x"])
    assert dataset["x"].attrs["units"] == "nm"
    derived = stores.attribute(dataset, "derived")
    assert derived["transmitters_below_min_confidence"] == 1
    assert "1 rows" in derived["nodes_listed_again_in_coordinates.csv.gz"]
    assert derived["columns_that_no_table_has"] == ["primary_type"]
    only = read(*files, **options, only_values={"neuropil": ["LO_R"]}, min_weight=3)
    assert edges(only) == {(b, c): 6, (d, a): 7}
    derived = stores.attribute(only, "derived")
    assert derived["rows_left_out"] == {"neuropil is another": 2}
    assert derived["edges_left_out"]["below_min_weight_or_zero"] == 1


def test_the_flywire_release_with_scores(tmp_path: Path) -> None:
    """Transmitter and confidence of a neuron: mean of the scores over its outgoing synapses."""
    rng = np.random.default_rng(1)
    count = 200
    scores = {f"{name}_avg": rng.random(count) for name in ("gaba", "ach", "glut", "oct", "ser", "da")}
    table = pd.DataFrame(
        {
            "pre_pt_root_id": np.array(IDS)[rng.integers(0, 4, count)],
            "post_pt_root_id": np.array(IDS)[rng.integers(0, 4, count)],
            "neuropil": "AL_R",
            "syn_count": rng.integers(1, 20, count),
            **scores,
        }
    )
    table.loc[5, list(scores)] = np.nan  # rows without a prediction
    table.to_feather(tmp_path / "proofread_connections_783.feather", chunksize=17)
    dataset = read(tmp_path / "proofread_connections_783.feather", layout="flywire")
    long = {
        "gaba": "GABA",
        "ach": "acetylcholine",
        "glut": "glutamate",
        "oct": "octopamine",
        "ser": "serotonin",
        "da": "dopamine",
    }
    for node, found, confidence in zip(
        *(dataset[n].values for n in ("node", "neurotransmitter", "neurotransmitter_confidence"))
    ):
        own = table[(table["pre_pt_root_id"].astype(str) == node) & table["da_avg"].notna()]
        means = {name: np.average(own[f"{name}_avg"], weights=own["syn_count"]) for name in long}
        best = max(means, key=lambda name: means[name])
        assert (found, confidence) == (long[best], pytest.approx(means[best]))


def test_synapses_of_cave(tmp_path: Path) -> None:
    a, b, c, _ = IDS
    pd.DataFrame(
        {
            "id": range(6),
            "pre_pt_root_id": [a, a, b, 0, a, c],
            "post_pt_root_id": [b, b, c, a, a, b],
            "size": [100, 20, 300, 400, 500, 600],
            "ctr_pt_position": [[1, 2, 3]] * 6,
        }
    ).to_parquet(tmp_path / "synapses.parquet")
    pd.DataFrame(
        {"pt_root_id": [a, b], "cell_type": ["23P", "BC"], "pt_position": [[10, 20, 30], [40, 50, 60]]}
    ).to_feather(tmp_path / "cells.feather")
    dataset = read(
        tmp_path / "synapses.parquet",
        tmp_path / "cells.feather",
        layout="microns",
        file="synapses.parquet",
        nodes_file="cells.feather",
        least_values={"size": 50},
        keep_nodes="listed",
        self_edges=False,
    )
    assert edges(dataset) == {(str(a), str(b)): 1}
    assert dataset["x"].values.tolist() == [40, 160]
    assert dataset["z"].values.tolist() == [1200, 2400]  # voxels of 40 nm
    derived = stores.attribute(dataset, "derived")
    assert derived["rows_left_out"] == {"size below 50": 1, "an end is 0": 1}
    assert derived["self_edges_left_out"] == 1
    assert derived["left_out_with_nodes_that_are_not_listed"] == {"nodes": 1, "edges": 2}


def test_neuprint_adjacencies_per_neuropil(tmp_path: Path) -> None:
    (tmp_path / "conns.csv").write_text("bodyId_pre,bodyId_post,roi,weight\n11,12,PB,3\n11,12,EB,4\n12,11,PB,1\n")
    (tmp_path / "neurons.csv").write_text(
        'bodyId,instance,type,somaLocation\n11,EPG_R,EPG,"[4069, 27265, 29472]"\n12,PEN_L,PEN,\n'
    )
    options = {"layout": "neuprint", "file": "conns.csv", "nodes_file": "neurons.csv"}
    dataset = read(tmp_path / "conns.csv", tmp_path / "neurons.csv", **options)
    assert edges(dataset) == {("11", "12"): 7, ("12", "11"): 1}
    assert dataset["class_"].values.tolist() == ["EPG_R", "PEN_L"]
    assert dataset["y"].values[0] == 27265 * 8
    assert np.isnan(dataset["y"].values[1])


def test_transmitters_named_by_rows(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("pre,post,n,nt\na,b,3,ACH\na,c,2,GABA\na,b,2,ACH\nb,a,5,\nc,a,1,GABA\n")
    options = {"source": "pre", "target": "post", "weight": "n", "transmitter_column": "nt"}
    dataset = read(tmp_path / "e.csv", **options)
    assert dataset["neurotransmitter"].values.tolist() == ["ACH", "", "GABA"]
    np.testing.assert_allclose(dataset["neurotransmitter_confidence"].values, [5 / 7, np.nan, 1.0])
