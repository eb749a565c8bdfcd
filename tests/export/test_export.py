"""Exports read again, by the formats' own libraries and by our readers; oracle: the store that was exported."""

import pytest
import xarray as xr

from allometry import cli, stores
from allometry.export import FORMATS
from allometry.stores.schema import parts
from tests.export.exports import same
from tests.stores import samples

HELD = [(kind, to) for kind in samples.KINDS for to in FORMATS if kind.removeprefix("recorded_") in FORMATS[to].kinds]


@pytest.mark.parametrize(("kind", "to"), HELD)
def test_every_kind_goes_out_in_every_format_that_says_it_holds_it(made, kind, to):
    found, out, _ = made(kind, to)
    assert found.files[0] == out
    assert sorted(path.name for path in out.parent.iterdir()) == sorted(path.name for path in found.files)
    assert found.holds
    assert all(isinstance(count, int) for count in found.holds.values())


@pytest.mark.parametrize("kind", samples.KINDS)
def test_netcdf_holds_all_of_a_store(made, kind):
    found, out, obj = made(kind, "netcdf")
    assert found.left_out == ()
    root, groups = parts(obj)
    with xr.open_datatree(out, engine="h5netcdf") as tree:
        same(root, tree.to_dataset(inherit=False).load())
        for path, group in groups.items():
            same(group, tree[path].to_dataset(inherit=False).load())


@pytest.mark.parametrize(
    ("to", "out", "said"),
    [
        ("graphml", "a.graphml", "graphml cannot hold a store of kind spikes"),
        ("nbw", "a.nwb", "perhaps 'nwb' is meant"),
        ("nwb", "a.h5", "a.nwb"),
    ],
)
def test_what_cannot_be_exported_is_one_message(tmp_path, capsys, to, out, said):
    stores.write(samples.spikes(), tmp_path / "s.zarr")
    command = ["export", str(tmp_path / "s.zarr"), "--to", to, "--out", str(tmp_path / out)]
    assert cli.main(command) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / out).exists()


def test_no_file_is_written_over(tmp_path, capsys):
    stores.write(samples.spikes(), tmp_path / "s.zarr")
    (tmp_path / "s.unit.csv").write_text("mine")
    command = ["export", str(tmp_path / "s.zarr"), "--to", "csv", "--out", str(tmp_path / "s.csv")]
    assert cli.main(command) == 1
    assert f"{tmp_path / 's.unit.csv'}" in capsys.readouterr().err
    assert (tmp_path / "s.unit.csv").read_text() == "mine"
    assert not (tmp_path / "s.csv").exists()
    (tmp_path / "s.unit.csv").unlink()
    assert cli.main(command) == 0
    assert f"{tmp_path / 's.csv'}: 4 rows in 3 columns" in capsys.readouterr().out
