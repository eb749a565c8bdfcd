"""The generators of synthetic files are repeatable and write genuine containers."""

import h5py
import pytest
import scipy.io

from tests.homogenize.fixtures.worms import WRITERS


@pytest.mark.parametrize("source", sorted(WRITERS))
def test_fixture_is_written(source, tmp_path):
    fixture = WRITERS[source](tmp_path)
    assert fixture.worms
    for name, path in fixture.files.items():
        assert path.name == name
        assert path.stat().st_size < 5e6
    for worm in fixture.worms:
        assert worm.trace.shape == (worm.time.size, len(worm.labels))


def test_matlab_73_files_are_hdf5_with_the_matlab_header(tmp_path):
    path = WRITERS["uzel2022"](tmp_path).files["Uzel_WT.mat"]
    assert path.read_bytes()[:19] == b"MATLAB 7.3 MAT-file"
    assert h5py.is_hdf5(path)
    with pytest.raises(NotImplementedError):
        scipy.io.loadmat(path)  # scipy recognises the version
    with h5py.File(path) as file:
        assert file["Uzel_WT/IDs"].attrs["MATLAB_class"] == b"cell"
