"""RoiResponseSeries of NWB 2 in the layouts that people have; oracle: every trace carries the row of its ROI."""

import h5py
import numpy as np
import pytest

from allometry.errors import ReaderError
from allometry.homogenize.formats import nwb_series
from tests.homogenize.fixtures.nwb_rois import NAMES, SAMPLES, expected, write

OPTIONS = {"traces": None, "labels": "labels", "orientation": "time"}


def load(path, **options):
    return nwb_series.load(path, {**OPTIONS, **options})


@pytest.mark.parametrize("region", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0], [1, 3, 0]], ids=str)
def test_labels_follow_the_region(tmp_path, region):
    write(tmp_path / "a.nwb", region=region)
    found = load(tmp_path / "a.nwb")
    assert found.labels == [NAMES[row] for row in region]
    np.testing.assert_array_equal(found.traces, expected(region))
    listed = load(tmp_path / "a.nwb", labels="processing/ophys/ImageSegmentation/PlaneSegmentation/labels")
    assert listed.labels == found.labels


def test_conversion_offset_and_unit(tmp_path):
    write(tmp_path / "a.nwb", conversion=0.01, offset=5.0, unit="percent")
    found = load(tmp_path / "a.nwb")
    np.testing.assert_allclose(found.traces, expected([0, 1, 2, 3]) * 0.01 + 5, rtol=1e-12)
    assert found.units == "percent"
    write(tmp_path / "b.nwb", unit="n/a")
    assert load(tmp_path / "b.nwb").units is None
    with h5py.File(tmp_path / "b.nwb", "a") as file:
        file["processing/ophys/Fluorescence/RoiResponseSeries/data"].attrs["conversion"] = np.nan
    with pytest.raises(ReaderError, match="conversion of the series is nan"):
        load(tmp_path / "b.nwb")


def test_several_series_are_listed_until_one_is_chosen(tmp_path):
    write(tmp_path / "a.nwb", series=("Deconvolved", "Fluorescence", "Neuropil"))
    with pytest.raises(ReaderError, match="3 RoiResponseSeries: processing/ophys/Fluorescence/Deconvolved, ") as caught:
        load(tmp_path / "a.nwb")
    assert "`traces`" in caught.value.do
    for name in ("Fluorescence", "processing/ophys/Fluorescence/Fluorescence"):
        np.testing.assert_array_equal(load(tmp_path / "a.nwb", traces=name).traces, expected([0, 1, 2, 3], 1))
    with pytest.raises(ReaderError, match="No RoiResponseSeries 'dff'") as caught:
        load(tmp_path / "a.nwb", traces="dff")
    assert "Fluorescence/Neuropil" in caught.value.do


@pytest.mark.parametrize("orientation", ["time", "roi"])
def test_roi_by_time(tmp_path, orientation):
    write(tmp_path / "a.nwb", transpose=True, rate=4.0)
    found = load(tmp_path / "a.nwb", orientation=orientation)
    np.testing.assert_array_equal(found.traces, expected([0, 1, 2, 3]))
    np.testing.assert_allclose(found.time, np.arange(SAMPLES) / 4)
    assert "transposed" in found.notes["orientation"]


def test_orientation_that_does_not_fit_is_refused(tmp_path):
    write(tmp_path / "a.nwb")
    with pytest.raises(ReaderError, match=r"shape \(4, 60\) \(time, ROI\), and its region has 4 ROIs"):
        load(tmp_path / "a.nwb", orientation="roi")


def test_one_dimension(tmp_path):
    write(tmp_path / "a.nwb", region=[1], flat=True)
    found = load(tmp_path / "a.nwb")
    assert (found.traces.shape, found.labels) == ((SAMPLES, 1), ["AVAR"])
    write(tmp_path / "b.nwb", region=[1, 2], flat=True)
    with pytest.raises(ReaderError, match="one dimension, and its region has 2 ROIs"):
        load(tmp_path / "b.nwb")


def test_ids_name_the_rois_where_no_column_does(tmp_path):
    write(tmp_path / "a.nwb", ids=[501, 502, 503, 504], column="cell_name", region=[3, 0])
    assert load(tmp_path / "a.nwb").labels == ["504", "501"]
    assert load(tmp_path / "a.nwb", labels="cell_name").labels == [NAMES[3], NAMES[0]]
    with pytest.raises(ReaderError, match="No column 'name'") as caught:
        load(tmp_path / "a.nwb", labels="name")
    assert "cell_name" in caught.value.do


def test_a_region_outside_the_table_is_refused(tmp_path):
    write(tmp_path / "a.nwb")
    with h5py.File(tmp_path / "a.nwb", "a") as file:
        file["processing/ophys/Fluorescence/RoiResponseSeries/rois"][2] = 9
    with pytest.raises(ReaderError, match="names row 9"):
        load(tmp_path / "a.nwb")
