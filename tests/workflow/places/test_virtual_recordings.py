"""Virtual recordings in a configuration: names are checked when it is parsed, each is made by a job of its own, and compared."""

import json
from pathlib import Path
from typing import Any

import pytest

from allometry import config, stores
from allometry.errors import ConfigError
from allometry.workflow.places import virtual_recordings
from allometry.workflow.reach import reachable
from allometry.workflow.snakefile import check_names, comparison_stores, figures, targets
from tests.workflow.conftest import Run

RUN = {"kind": "network", "model": "brunel", "parameters": {"scale": 0.02}, "duration_ms": 1000.0}
IMAGED = {"kind": "imaging", "run": "tiny", "like": "dag2023", "indicator": "jgcamp7f"}


def configured(homogenize: dict[str, Any] | None = None, **changed: Any) -> config.Config:
    recording = {key: value for key, value in {**IMAGED, **changed}.items() if value is not None}
    return config.validate(
        {
            "homogenize": {"activity": ["dag2023"]} if homogenize is None else homogenize,
            "simulate": {"runs": {"tiny": RUN}, "recordings": {"seen": recording}},
        }
    )


def test_a_recording_reads_its_run_and_its_reference() -> None:
    cfg = configured()
    virtual_recordings.check_recordings(cfg)
    assert virtual_recordings.like(cfg, "seen") == [
        "results/homogenized/activity/dag2023.zarr",
        "results/homogenized/activity/dag2023.manifest.json",
    ]
    (trial,) = virtual_recordings.trials(cfg, "seen")
    assert trial["path"].startswith("results/simulated/tiny/scale0.02_s1_")
    registry = config.load_registry(cfg, Path(__file__).parents[3])
    assert set(virtual_recordings.recorded("seen")) <= set(targets(cfg, registry)["simulate"])
    drawn = figures(cfg, registry)["simulations"].drawn["virtual_recording_seen"]
    assert (drawn.plot, drawn.stores) == ("recordings", ("results/simulated/seen.recording.zarr",))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"run": "tyny"}, "no run of networks is called 'tyny'"),
        ({"like": "dag2022"}, "'dag2022' is no activity store"),
        ({"signal": "voltage"}, "the run 'tiny' records no voltage"),
        ({"skip_ms": 1000.0}, "nothing is left of the run 'tiny'"),
        ({"kind": "sorting", "indicator": None}, "'dag2023' is no spikes store"),
    ],
)
def test_what_it_names_is_checked(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        virtual_recordings.check_recordings(configured(**changed))


def test_an_indicator_is_a_name_or_its_numbers() -> None:
    with pytest.raises(ConfigError, match="set amplitude, rise_s, decay_s, or name an indicator"):
        configured(indicator=None)
    own = configured(indicator=None, amplitude=0.2, rise_s=0.1, decay_s=0.5)
    assert own.simulate.recordings["seen"].store_kind == "activity"


def test_a_recording_goes_with_its_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = configured()
    registry = config.load_registry(cfg, Path(__file__).parents[3])
    monkeypatch.setattr("allometry.workflow.reach.no_download", lambda *_: {"dag2023": "it is not at hand"})
    kept, left_out = reachable(cfg, registry)
    assert not kept.simulate.recordings
    assert left_out["simulate.recordings.seen"] == "needs dag2023"


COMPARED = {"kind": "spike_statistics", "activity": ["dag2023", "seen"], "statistics": ["correlation"]}


def compared(comparison: dict[str, Any], **more: Any) -> tuple[config.Config, Any]:
    cfg = config.validate(
        {
            "homogenize": {"activity": ["dag2023"], "connectome": ["cook2019_hermaphrodite"]},
            "simulate": {
                "runs": {"tiny": RUN},
                "recordings": {"seen": IMAGED, "shown": {**IMAGED, "trials": {"window_ms": 200.0}}, **more},
            },
            "compare": {"comparisons": {"both": comparison}},
        }
    )
    return cfg, config.load_registry(cfg, Path(__file__).parents[3])


def test_a_comparison_reads_a_recording_where_it_reads_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg, registry = compared({**COMPARED, "responses": ["shown"], "reference": "seen"})
    check_names(cfg, registry)
    assert comparison_stores(cfg, "both") == {
        "shown": "results/simulated/shown.recording.zarr",
        "dag2023": "results/homogenized/activity/dag2023.zarr",
        "seen": "results/simulated/seen.recording.zarr",
    }
    # what cannot be recorded cannot be compared
    monkeypatch.setattr("allometry.workflow.reach.no_download", lambda *_: {"dag2023": "it is not at hand"})
    kept, left_out = reachable(cfg, registry)
    assert not kept.compare.comparisons
    assert left_out["compare.comparisons.both"] == "needs dag2023, simulate.recordings.shown, simulate.recordings.seen"


@pytest.mark.parametrize(
    ("comparison", "more", "message"),
    [
        (
            {**COMPARED, "activity": ["dag2023", "shown"]},
            {},
            "'shown' is a store of kind responses(.|\\n)*such as seen",
        ),
        ({**COMPARED, "spikes": ["seen"], "activity": []}, {}, "'seen' is a store of kind activity"),
        (
            {"kind": "structure_function", "function": ["seen"], "structure": ["cook2019_hermaphrodite"]},
            {},
            "'seen' is a store of kind activity(.|\n)*a recording is none",
        ),
        ({**COMPARED, "activity": ["dag2023", "sean"]}, {}, "no data set makes a store 'sean'"),
        (COMPARED, {"kato2015": IMAGED}, "a store of a data set is called 'kato2015' too"),
    ],
)
def test_a_recording_of_another_kind_is_no_store(
    comparison: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_names(*compared(comparison, **more))


@pytest.mark.slow
def test_recordings_are_made(snakemake: Run, tmp_path: Path) -> None:
    seen = {
        "kind": "imaging", "run": "tiny", "neurons": 20, "frame_rate_hz": 30, "noise": 0.1, "missing": 0.05,
        "indicator": "jgcamp8m",
    }  # fmt: skip
    found = {"kind": "sorting", "run": "tiny", "units": 20, "least_rate_hz": 1, "missing": 0, "missed": 0.1}
    (tmp_path / "c.yaml").write_text(
        json.dumps(
            {
                "simulate": {"runs": {"tiny": RUN}, "recordings": {"seen": seen, "found": found}},
                "compare": {
                    "comparisons": {
                        "both": {
                            "kind": "spike_statistics",
                            "simulated": ["tiny"],
                            "spikes": ["found"],
                            "activity": ["seen"],
                            "reference": "found",
                            "statistics": ["rate", "correlation"],
                        }
                    }
                },
            }
        )
    )
    done = snakemake("compare", "--cores", "1", "--configfile", str(tmp_path / "c.yaml"), directory=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    scores = stores.open(tmp_path / "results/compared/both.zarr")
    assert {"found.zarr", "seen.zarr"} <= set(stores.attribute(scores, "source"))
    assert stores.open(tmp_path / "results/simulated/seen.recording.zarr").sizes["recording"] == 1
    assert stores.open(tmp_path / "results/simulated/found.recording.zarr").sizes["unit"] == 20
