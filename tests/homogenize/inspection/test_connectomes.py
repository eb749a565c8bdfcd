"""Edge tables and matrices of nobody's layout: the options that are printed are those that read them."""

import tarfile
from pathlib import Path
from typing import Any

import pytest

from allometry.homogenize.inspection import configuration
from allometry.homogenize.inspection.examine import examine
from tests.homogenize.connectomes import test_edge_forms as forms
from tests.homogenize.connectomes.test_edge_layouts import codex
from tests.homogenize.inspection.test_every_layout import run

COLUMNS = {"source": "pre", "target": "post", "weight": "n"}


def inspected(folder: Path, root: Path, target: Path) -> tuple[Any, dict[str, Any]]:
    found = examine([folder])
    made = run(configuration.text(found), target, root)
    assert len(found.findings) == 1
    assert found.findings[0].reader == "generic_edges"
    return next(iter(made.values())), dict(next(iter(found.findings[0].stores.values()))[1])


@pytest.mark.parametrize("form", sorted(forms.FORMS))
def test_edges_of_every_form(form: str, tmp_path: Path, root: Path) -> None:
    (tmp_path / "files").mkdir()
    name, write, _ = forms.FORMS[form]
    table = forms.rows()
    write(tmp_path / "files" / name, table)
    if form == "graphml":
        path = tmp_path / "files" / name
        path.write_text(path.read_text().replace('attr.name="n"', 'attr.name="weight"'))
    store, options = inspected(tmp_path / "files", root, tmp_path)
    assert forms.edges(store) == forms.summed(forms.rows())
    if form in ("csv", "parquet", "npz"):
        assert options == COLUMNS


@pytest.mark.parametrize("form", sorted(set(forms.MATRICES) - {"parquet", "feather"}))
def test_matrices(form: str, tmp_path: Path, root: Path) -> None:
    (tmp_path / "files").mkdir()
    name, write, _ = forms.MATRICES[form]
    write(tmp_path / "files" / name, forms.rows())
    store, options = inspected(tmp_path / "files", root, tmp_path)
    assert options["form"] == "matrix"
    assert forms.edges(store) == forms.summed(forms.rows())


def test_exports_of_codex(tmp_path: Path, root: Path) -> None:
    (tmp_path / "files").mkdir()
    codex(tmp_path / "files")
    store, options = inspected(tmp_path / "files", root, tmp_path)
    assert options["layout"] == "codex"
    assert set(options["nodes_file"]) == {"classification.csv.gz", "coordinates.csv.gz", "neurons.csv.gz"}
    assert store["neurotransmitter"].values.tolist().count("acetylcholine") == 1
    assert store["x"].attrs["units"] == "nm"


def test_an_archive_of_neuprint(tmp_path: Path, root: Path) -> None:
    """As exported-traced-adjacencies: totals, parts per neuropil, and neurons."""
    inside = tmp_path / "x"
    inside.mkdir()
    (inside / "traced-roi-connections.csv").write_text("bodyId_pre,bodyId_post,roi,weight\n1,2,PB,3\n1,2,EB,4\n")
    (inside / "traced-total-connections.csv").write_text("bodyId_pre,bodyId_post,weight\n1,2,7\n2,1,5\n")
    (inside / "traced-neurons.csv").write_text("bodyId,type,instance\n1,EPG,EPG_R\n2,PEN,PEN_L\n")
    (tmp_path / "files").mkdir()
    with tarfile.open(tmp_path / "files" / "traced.tar.gz", "w:gz") as archive:
        archive.add(inside, "exported-traced-adjacencies-v1.2")
    store, options = inspected(tmp_path / "files", root, tmp_path)
    assert options == {
        "layout": "neuprint",
        "member": "traced-total-connections.csv",
        "nodes_member": "traced-neurons.csv",
    }
    assert forms.edges(store) == {("1", "2"): 7, ("2", "1"): 5}
    assert store["type"].values.tolist() == ["EPG", "PEN"]


def test_genuine_tables_that_no_reader_is_for(mirror: Path, tmp_path: Path, root: Path) -> None:
    """Edges of Cook et al. in a list, and the matrices of Varshney et al. as MATLAB has them (2194 chemical edges)."""
    found = examine([mirror / "celegans_connectome" / "herm_full_edgelist.csv"])
    assert len(next(iter(run(configuration.text(found), tmp_path / "a", root).values()))["node"]) > 400
    found = examine([mirror / "celegans_connectome" / "ConnOrdered_040903.mat"])
    made = run(configuration.text(found), tmp_path / "b", root)
    chemical = next(store for name, store in made.items() if "a_init" in name)
    assert chemical.sizes["edge"] == 2194
    assert float(chemical["weight"].sum()) == 6394
    assert "AVAL" in chemical["node"].values
