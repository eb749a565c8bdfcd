"""Oracle: files that scipy writes are consistent; damage is found before scipy can crash on it."""

import numpy as np
import pytest
import scipy.io

from allometry.errors import ReaderError
from allometry.homogenize import mat5
from allometry.homogenize.formats import matlab


@pytest.mark.parametrize("compressed", [True, False])
def test_files_of_scipy_pass(tmp_path, compressed):
    cell = np.empty((2, 2), dtype=object)
    cell[:] = [["a", np.zeros((0, 0))], [np.arange(3.0), "longer text"]]
    content = {
        "real": np.random.default_rng(0).standard_normal((7, 3)),
        "complex": np.ones((2, 2)) * 1j,
        "flag": np.array([True, False]),
        "small": np.array([1], dtype=np.uint8),
        "text": "αβγ",
        "cell": cell,
        "record": {"x": 1.0, "nested": {"y": [1, 2, 3]}},
        "sparse": scipy.sparse.csc_array(np.eye(3)),
    }
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, content, do_compression=compressed)
    mat5.check(path.read_bytes())
    loaded = matlab.load(path)
    np.testing.assert_array_equal(loaded["real"], content["real"])
    assert loaded["text"] == "αβγ"
    assert loaded["record"]["nested"]["y"].ravel().tolist() == [1, 2, 3]
    assert loaded["cell"][0] == "a"
    assert loaded["cell"][2].size == 0  # columns first


def test_damage_is_found(tmp_path):
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"a": np.arange(12.0).reshape(3, 4)})
    data = bytearray(path.read_bytes())
    for start, patch in ((128, b"\xff"), (132, b"\xff\xff\xff\x7f"), (144, b"\x63"), (160, b"\xff\xff\xff\xff")):
        damaged = data.copy()
        damaged[start : start + len(patch)] = patch
        with pytest.raises(ValueError, match=r"byte|header"):
            mat5.check(bytes(damaged))
    with pytest.raises(ValueError, match="bytes"):
        mat5.check(b"")
    path.write_bytes(bytes(data[:200]))
    with pytest.raises(ReaderError):
        matlab.load(path)
