"""Archives of the tests, and a folder whose configuration asks them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homogenize.fixtures import allen_neuropixels, allen_two_photon
from tests.retrieve.sessions.archives import Archives, serving
from tests.workflow.recording_sessions import asking


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Sessions of the genuine layout, small."""
    folder = tmp_path_factory.mktemp("sessions")
    for number in (501, 503, 505):
        allen_two_photon.write(folder / f"{number}.nwb", "A", cells=12, repeats=3, seed=number)
    allen_neuropixels.write(folder / "probes.nwb", units=150, good=110, spikes=60)
    return {path.stem: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def archives(files: dict[str, bytes]) -> Iterator[Archives]:
    with serving() as state:
        for number, animal in {501: "a", 503: "b", 505: "c"}.items():
            state.two_photon(number, files[str(number)], animal=animal, container=number)
        state.two_photon(504, b"of the same animal as 503", animal="b", container=504)
        state.two_photon(502, b"another session", animal="a", container=501, stimulus="three_session_B")
        state.asset("sub-1/sub-1_ses-715093703.nwb", files["probes"])
        yield state


@pytest.fixture
def folder(archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with a configuration that asks the server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALLOMETRY_MIRROR", raising=False)
    asking.write(tmp_path, archives)
    return tmp_path
