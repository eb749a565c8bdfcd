"""Questions to archives: what they are asked, what is chosen of their answers, and one message for whatever goes wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allometry.errors import RetrieveError
from allometry.retrieve.sessions import brain_map, dandi, lock
from allometry.retrieve.sessions.answers import Service
from allometry.retrieve.sessions.session import Answer, Session
from tests.retrieve.sessions.archives import Archives, serving


@pytest.fixture
def archives() -> Iterator[Archives]:
    with serving() as state:
        for number, about in {
            501: {"animal": "a", "container": 11},
            502: {"animal": "a", "container": 11, "stimulus": "three_session_B"},
            503: {"animal": "a", "container": 12, "depth": 275},
            504: {"animal": "b", "container": 13, "area": "VISl", "depth": 275},
            505: {"animal": "c", "container": 14, "line": "Sst-IRES-Cre"},
            506: {"animal": "d", "container": 15, "failed": True},
        }.items():
            state.two_photon(number, b"x" * number, **about)
        yield state


def two_photon(archives: Archives, **query: Any) -> Answer:
    return brain_map.two_photon(query, _service(archives.url), f"{archives.url}/files")


def _service(url: str) -> Service:
    return Service(url, timeout_s=5, attempts=2, wait_s=0.01)


def names(answer: Answer) -> list[str]:
    return [session.name for session in answer.sessions]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"session": [502, 501]}, ["501", "502"]),
        ({"container": [11]}, ["501", "502"]),
        ({"area": ["VISp"]}, ["501", "502", "503", "505"]),
        ({"area": ["VISl", "VISp"], "cre_line": ["Cux2-CreERT2"]}, ["501", "502", "503", "504"]),
        ({"cre_line": ["Sst-IRES-Cre"]}, ["505"]),
        ({"stimulus": ["natural_scenes"]}, ["502"]),
        ({"stimulus": ["three_session_A"], "container": [11]}, ["501"]),
        ({"area": ["VISp"], "min_depth_um": 200}, ["503"]),
        ({"area": ["VISp"], "max_depth_um": 175, "most": 2}, ["501", "502"]),
        ({"stimulus": ["drifting_gratings"], "one_per_animal": True}, ["501", "504", "505"]),
        ({"session": [506], "failed": True}, ["506"]),
    ],
)
def test_two_photon_sessions_that_a_query_means(archives: Archives, query: dict[str, Any], expected: list[str]) -> None:
    assert names(two_photon(archives, **query)) == expected


def test_a_session_has_its_file_with_size_and_two_places(archives: Archives) -> None:
    (session,) = two_photon(archives, session=[501]).sessions
    assert session.file == "501.nwb"
    assert session.size == 501
    assert session.sha256 == "learn"
    assert session.places == (
        f"{archives.url}/files/visual-coding-2p/ophys_experiment_data/501.nwb",
        f"{archives.url}/api/v2/well_known_file_download/5010",
    )
    assert session.about == {
        "animal": "a",
        "container": 11,
        "area": "VISp",
        "cre_line": "Cux2-CreERT2",
        "stimulus": "three_session_A",
        "depth_um": 175,
    }


def test_a_file_that_has_no_public_copy_is_measured_at_the_service(archives: Archives) -> None:
    archives.files["/api/v2/well_known_file_download/5010"] = b"y" * 77
    del archives.files["/files/visual-coding-2p/ophys_experiment_data/501.nwb"]
    assert two_photon(archives, session=[501]).sessions[0].size == 77
    del archives.files["/api/v2/well_known_file_download/5010"]
    assert two_photon(archives, session=[501]).sessions[0].size is None


def test_all_pages_are_asked_for(archives: Archives) -> None:
    assert len(two_photon(archives, area=["VISp"]).sessions) == 4
    assert len(archives.questions) == 3  # two records each


def test_neuropixels_sessions_by_area_line_and_kind(archives: Archives) -> None:
    archives.neuropixels(715, areas=["VISp", "CA1"])
    archives.neuropixels(719, areas=["LGd"], genotype="wt/wt")
    archives.neuropixels(750, areas=["VISp"], stimulus="functional_connectivity")

    def found(**query: Any) -> list[str]:
        return names(brain_map.neuropixels(query, _service(archives.url), f"{archives.url}/files"))

    assert found(area=["VISp"]) == ["715", "750"]
    assert found(area=["VISp"], stimulus=["natural_scenes"]) == ["715"]
    assert found(area=["LGd", "CA1"]) == ["715", "719"]
    assert found(cre_line=["wt"]) == ["719"]
    assert found(stimulus=["dot_motion"]) == ["750"]
    with pytest.raises(RetrieveError, match="no session has area 'VISam'"):
        found(area=["VISam"])


def test_assets_of_a_dandiset_with_their_checksums(archives: Archives) -> None:
    archives.asset("sub-1/sub-1_ses-715093703.nwb", b"spikes")
    archives.asset("sub-1/sub-1_ses-715093703_probe-8_ecephys.nwb", b"lfp")
    other = archives.asset("sub-2/sub-2_ses-719161530.nwb", b"others")
    archives.asset("sub-3/sub-3_ses-20220427T041046_behavior+ophys.nwb", b"planes")

    def found(**query: Any) -> Answer:
        return dandi.sessions({"dandiset": "000021", "version": "draft", **query}, _service(f"{archives.url}/dandi"))

    answer = found(session=["715093703"])
    (session,) = answer.sessions
    assert (session.name, session.file, session.size) == ("715093703", "sub-1_ses-715093703.nwb", 6)
    assert session.sha256 == archives.assets[session.places[0].split("/")[-3]][2]["dandi:sha2-256"]
    assert session.about == {"animal": "1"}
    assert answer.source["licence"] == "CC-BY-4.0"
    assert answer.source["species"] == "Mus musculus"
    assert names(found(asset=[other])) == ["719161530"]
    assert names(found(path="sub-[12]/*[0-9].nwb")) == ["715093703", "719161530"]
    assert names(found(session=["20220427T041046"])) == ["20220427t041046"]
    # two files of one session go by their whole names
    assert names(found(path="sub-1/*")) == ["sub_1_ses_715093703", "sub_1_ses_715093703_probe_8_ecephys"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        # as of 000021: the name is the common one
        ({"name": "House mouse", "identifier": "http://purl.obolibrary.org/obo/NCBITaxon_10090"}, "Mus musculus"),
        ({"name": "Mus musculus - House mouse"}, "Mus musculus"),
        ({"name": "a worm", "identifier": "NCBITaxon_6239"}, "Caenorhabditis elegans"),
        ({"name": "Octopus bimaculoides", "identifier": "NCBITaxon_37653"}, "Octopus bimaculoides"),
        ({"name": None, "identifier": 3}, None),
        ("Mus musculus", None),
    ],
)
def test_species_of_a_dandiset(archives: Archives, said: Any, expected: str | None) -> None:
    archives.asset("sub-1/sub-1_ses-7.nwb")
    archives.species = [said]
    source = _dandi(archives, session=["7"]).source
    assert source.get("species") == expected


def test_a_zarr_asset_is_no_file(archives: Archives) -> None:
    archives.asset("sub-1/sub-1_ses-7_ecephys.nwb.zarr")
    with pytest.raises(RetrieveError, match=r"sub-1_ses-7_ecephys\.nwb\.zarr is a Zarr store of many objects") as error:
        _dandi(archives, path="sub-1/*")
    assert "`dandi download`" in str(error.value)


def test_an_asset_without_a_checksum_is_learned(archives: Archives) -> None:
    archives.asset("sub-1/sub-1_ses-7.nwb", b"spikes", **{"dandi:dandi-etag": "0-1"})
    query = {"dandiset": "000021", "version": "draft", "session": ["7"]}
    assert dandi.sessions(query, _service(f"{archives.url}/dandi")).sessions[0].sha256 == "learn"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"session": [501, 999]}, ["the archive has no session 999", "it has 501"]),
        ({"container": [1]}, ["the archive has no container 1"]),
        ({"area": ["VISP"]}, ["no session has area 'VISP' (of 5 in the archive's answer)", "'VISp' is meant"]),
        ({"area": ["VISl"], "cre_line": ["Sst-IRES-Cre"]}, ["then 1 with area VISl", "no session has cre line"]),
        ({"area": ["VISl"], "min_depth_um": 300}, ["no session fits the query", "then 0 with depth um 300 to inf"]),
        ({"session": [506]}, ["no session fits the query", "0 in the archive's answer"]),
    ],
)
def test_what_a_query_does_not_find_is_said(archives: Archives, query: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(RetrieveError) as error:
        two_photon(archives, **query)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"<html>maintenance</html>", ["the answer is no JSON", "<html>maintenance"]),
        ([], ["a record has no msg"]),
        ({"success": False, "msg": "Invalid criteria"}, ["refuses the question: Invalid criteria"]),
        ({"success": True, "msg": "none", "total_rows": 0}, ["msg is 'none'"]),
        ({"success": True, "msg": [{"id": 1}], "total_rows": 1}, ["a record has no specimen.donor.transgenic_lines"]),
        ({"success": True, "msg": [{"id": "1"}], "total_rows": 1}, ["id is '1'"]),
        ({"success": True, "msg": [3], "total_rows": 1}, ["a record has no id"]),
    ],
)
def test_an_answer_of_another_form_is_one_message(archives: Archives, said: Any, words: list[str]) -> None:
    archives.answers["OphysExperiment"] = said
    with pytest.raises(RetrieveError) as error:
        two_photon(archives, area=["VISp"])
    for word in words:
        assert word in str(error.value)


def _dandi(archives: Archives, **query: Any) -> Answer:
    return dandi.sessions({"dandiset": "000021", "version": "draft", **query}, _service(f"{archives.url}/dandi"))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"session": ["8"]}, ["the dandiset has no session 8", "one of 7"]),
        ({"path": "sub-9/*"}, ["no asset of the dandiset fits"]),
        ({"asset": ["0" * 8 + "-0000-0000-0000-" + "0" * 12]}, ["refuses the question: HTTP 404"]),
        ({"version": "0.1.2", "session": ["7"]}, ["refuses the question: HTTP 404"]),
    ],
)
def test_what_a_dandiset_does_not_have_is_said(archives: Archives, query: dict[str, Any], words: list[str]) -> None:
    archives.asset("sub-1/sub-1_ses-7.nwb")
    with pytest.raises(RetrieveError) as error:
        _dandi(archives, **query)
    for word in words:
        assert word in str(error.value)


def test_pages_and_checksums_of_another_form_are_refused(archives: Archives) -> None:
    archives.asset("sub-1/sub-1_ses-7.nwb", **{"dandi:sha2-256": "abc"})
    with pytest.raises(RetrieveError, match="a checksum is 'abc'"):
        _dandi(archives, session=["7"])
    archives.answers["glob"] = {"results": [], "next": "https://example.org/assets/?page=2"}
    with pytest.raises(RetrieveError, match="the next page lies on another server"):
        _dandi(archives, session=["7"])


def test_a_busy_archive_is_asked_again_and_a_silent_one_is_left(archives: Archives) -> None:
    archives.refused = [503]
    assert names(two_photon(archives, session=[501])) == ["501"]
    archives.refused = [503, 503]
    with pytest.raises(RetrieveError, match=r"does not answer: HTTP 503 .*\(2 attempts\)"):
        two_photon(archives, session=[501])
    with pytest.raises(RetrieveError) as error:
        brain_map.two_photon({"session": [1]}, _service("http://127.0.0.1:9"), "http://127.0.0.1:9")
    assert "does not answer" in str(error.value)
    assert "allometry resolve" in str(error.value)


def test_the_lock_file_gives_back_what_was_answered(archives: Archives, tmp_path: Path) -> None:
    path = tmp_path / "config" / "sessions.lock.yaml"
    query = {"session": [501, 502]}
    first = lock.Resolved(query, two_photon(archives, **query), "2026-11-30")
    lock.add("b", first, path)
    lock.add("a", lock.Resolved({}, Answer((Session("s", "s.nwb", ("https://e.org/s",)),), "u"), "2026-11-30"), path)
    assert lock.read(path)["b"] == first
    assert list(lock.read(path)) == ["a", "b"]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text",
    [
        "a: 3",
        "a: {query: {}, asked: x, answered: y, source: {}, sessions: [{name: s}]}",
        "a: {query: {}, asked: x, answered: y, source: {}, sessions: [{name: s, file: ../s, places: ['https://e.org']}]}",
        "a: {query: {}, asked: x, answered: y, source: {}, sessions: [{name: s, file: s, places: ['ftp://e.org']}]}",
        "a: {query: {}, asked: x, answered: y, source: {}, sessions: [{name: s, file: s, places: [], sha256: no}]}",
        "[",
        "\xff",
    ],
)
def test_a_damaged_lock_file_is_one_message(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sessions.lock.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RetrieveError, match="the lock file of sessions cannot be read"):
        lock.read(path)
