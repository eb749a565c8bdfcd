"""Sessions of the Allen Institute, by its query service RMA at api.brain-map.org.

A question is `api/v2/data/query.json?criteria=model::Model,rma::criteria,[field$in1,2],rma::include,association,
rma::options[start_row$eq0][num_rows$eq2000][order$eq'id']`; the answer is `{"success", "start_row", "num_rows",
"total_rows", "msg": [record, ...]}`. Numbers narrow the question, all else is chosen here, so that what does not fit can be
named.

The form of questions and answers, and every field, is that of the Allen Institute's own client, AllenSDK
(github.com/AllenInstitute/AllenSDK, below `allensdk/`):

- paging (`start_row`, `num_rows`, `order`; `success`, `msg`, `total_rows`):
  `brain_observatory/ecephys/ecephys_project_api/rma_engine.py`, `RmaEngine.get_rma`.
- `OphysExperiment` (two-photon, NWB 1): what is included, `id`, `experiment_container_id`, and well-known files of type
  `NWBOphys` with their `download_link`: `api/queries/brain_observatory_api.py`, template `ophys_experiment_by_ids` and
  `save_ophys_experiment_data`. `imaging_depth`, `targeted_structure.acronym`, `stimulus_name`,
  `specimen.donor.external_donor_name`: `simplify_ophys_experiments` there; `experiment_container.failed`:
  `filter_ophys_experiments`; the Cre line as the first driver with `Cre` in its name among
  `specimen.donor.transgenic_lines`: `find_specimen_cre_line`.
- `EcephysSession` (Neuropixels, NWB 2): what is included, `id`, `stimulus_name`, `specimen.donor.full_genotype` (null: wild
  type), files of type `EcephysNwb`: `brain_observatory/ecephys/ecephys_project_api/ecephys_project_warehouse_api.py`,
  `get_sessions`.
- `EcephysChannel` (areas that a session reached): `structure.acronym` in `get_channels` there, the way over
  `ecephys_probe` to the session in `get_units`, `ecephys_session_id` in `get_probes`.
- What a kind of session shows: `brain_observatory/stimulus_info.py`, `SESSION_STIMULUS_MAP`, of two-photon sessions; of
  Neuropixels sessions, the tables of presentations in their files (Siegle et al. 2021).
- Places of the public copies: the bucket's own listing, as the registry of open data on AWS describes it
  (`allen-brain-observatory`: `visual-coding-2p/ophys_experiment_data`, `visual-coding-neuropixels/ecephys-cache`).
"""

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from allometry.errors import RetrieveError
from allometry.retrieve.sessions.answers import Service, text, value
from allometry.retrieve.sessions.session import Answer, Choice, Session

PAGE = 2000
TWO_PHOTON: dict[str, tuple[str, ...]] = {
    "three_session_A": ("drifting_gratings", "natural_movie_one", "natural_movie_three", "spontaneous"),
    "three_session_B": ("static_gratings", "natural_scenes", "natural_movie_one", "spontaneous"),
    "three_session_C": ("locally_sparse_noise", "natural_movie_one", "natural_movie_two", "spontaneous"),
    "three_session_C2": (
        "locally_sparse_noise_4deg",
        "locally_sparse_noise_8deg",
        "natural_movie_one",
        "natural_movie_two",
        "spontaneous",
    ),
}
"""What the sessions of a two-photon container show (de Vries et al. 2020)."""

NEUROPIXELS: dict[str, tuple[str, ...]] = {
    "brain_observatory_1.1": (
        "drifting_gratings",
        "static_gratings",
        "natural_scenes",
        "natural_movie_one",
        "natural_movie_three",
        "gabors",
        "flashes",
        "spontaneous",
    ),
    "functional_connectivity": (
        "drifting_gratings_75_repeats",
        "drifting_gratings_contrast",
        "dot_motion",
        "natural_movie_one_more_repeats",
        "natural_movie_one_shuffled",
        "gabors",
        "flashes",
        "spontaneous",
    ),
}
"""What the two kinds of Neuropixels session show (Siegle et al. 2021)."""

STIMULI = {"allen_two_photon": TWO_PHOTON, "allen_neuropixels": NEUROPIXELS}


def two_photon(query: Mapping[str, Any], service: Service, bucket: str) -> Answer:
    """Two-photon sessions (`ophys experiments`) that a query means.

    Parameters
    ----------
    query : mapping
        `session`, `container`: numbers; `area`, `cre_line`, `stimulus`: names; `min_depth_um`, `max_depth_um`; `failed`:
        keep containers that failed quality control; `one_per_animal`; `most`. What is empty or None asks for nothing.
    service : Service
        RMA.
    bucket : str
        Address of the public copies of the files, tried before the service's own.

    Raises
    ------
    RetrieveError
        No answer, one of another form, a number that the archive does not have, or no session that fits.
    """
    criteria = [
        f"[{name}$in{','.join(map(str, sorted(query[key])))}]"
        for key, name in (("session", "id"), ("container", "experiment_container_id"))
        if query.get(key)
    ]
    records, asked = _records(
        service,
        "OphysExperiment",
        "".join(criteria),
        "experiment_container,well_known_files(well_known_file_type),targeted_structure,"
        "specimen(donor(age,transgenic_lines))",
    )
    found = [_two_photon(record, service.base, bucket, asked) for record in records]
    _all_there([str(number) for number in query.get("session") or ()], {s.name for s in found}, "session", asked)
    containers = {str(s.about["container"]) for s in found}
    _all_there([str(number) for number in query.get("container") or ()], containers, "container", asked)
    if not query.get("failed"):
        found = [session for session in found if not session.about["failed"]]
    choice = Choice(found, asked)
    choice.by("area", query.get("area") or ())
    choice.by("cre_line", query.get("cre_line") or ())
    choice.by("stimulus", query.get("stimulus") or (), lambda shown, one: _shows(TWO_PHOTON, shown, one))
    choice.within("depth_um", query.get("min_depth_um"), query.get("max_depth_um"))
    return _answer(choice, query, service, asked)


def _two_photon(record: Any, base: str, bucket: str, asked: str) -> Session:
    number = value(record, "id", int, asked)
    lines = value(record, "specimen.donor.transgenic_lines", list, asked)
    drivers = [text(line, "name") for line in lines if text(line, "transgenic_line_type_name") == "driver"]
    container = record.get("experiment_container")
    return Session(
        str(number),
        f"{number}.nwb",
        (
            f"{bucket}/visual-coding-2p/ophys_experiment_data/{number}.nwb",
            *_links(record, "NWBOphys", base),
        ),
        about={
            "animal": text(record, "specimen.donor.external_donor_name") or text(record, "specimen.donor.id"),
            "container": value(record, "experiment_container_id", int, asked),
            "area": value(record, "targeted_structure.acronym", str, asked),
            "cre_line": next((name for name in drivers if name and "Cre" in name), next(iter(drivers), None)),
            "stimulus": value(record, "stimulus_name", str, asked),
            "depth_um": value(record, "imaging_depth", int | float, asked),  # type: ignore[arg-type]
            "failed": isinstance(container, dict) and container.get("failed") is True,
        },
    )


def neuropixels(query: Mapping[str, Any], service: Service, bucket: str) -> Answer:
    """Neuropixels sessions of Visual Coding that a query means.

    Parameters
    ----------
    query : mapping
        `session`: numbers; `area`, `cre_line`, `stimulus`: names; `one_per_animal`; `most`.
    service : Service
        RMA.
    bucket : str
        As of `two_photon`.

    Raises
    ------
    RetrieveError
        As of `two_photon`.
    """
    wanted = sorted(query.get("session") or ())
    records, asked = _records(
        service,
        "EcephysSession",
        f"[id$in{','.join(map(str, wanted))}]" if wanted else "",
        "specimen(donor(age)),well_known_files(well_known_file_type)",
    )
    found = [_neuropixels(record, service.base, bucket, asked) for record in records]
    _all_there([str(number) for number in wanted], {session.name for session in found}, "session", asked)
    choice = Choice(found, asked)
    choice.by("cre_line", query.get("cre_line") or ())
    choice.by("stimulus", query.get("stimulus") or (), lambda shown, one: _shows(NEUROPIXELS, shown, one))
    if query.get("area"):
        reached = _reached(service, query["area"])
        for session in choice.left:
            session.about["area"] = sorted(reached.get(session.name, ()))
        choice.by("area", query["area"], lambda there, one: one in there)
    return _answer(choice, query, service, asked)


def _neuropixels(record: Any, base: str, bucket: str, asked: str) -> Session:
    number = value(record, "id", int, asked)
    genotype = text(record, "specimen.donor.full_genotype") or "wt"
    return Session(
        str(number),
        f"session_{number}.nwb",
        (
            f"{bucket}/visual-coding-neuropixels/ecephys-cache/session_{number}/session_{number}.nwb",
            *_links(record, "EcephysNwb", base),
        ),
        about={
            "animal": text(record, "specimen.donor.external_donor_name")
            or text(record, "specimen.donor.id")
            or text(record, "specimen.id")
            or text(record, "specimen_id"),
            # Sst-IRES-Cre/wt;Ai32(RCL-ChR2(H134R)_EYFP)/wt
            "cre_line": genotype.partition("/")[0] if "Cre" in genotype else "wt",
            "stimulus": value(record, "stimulus_name", str, asked),
        },
    )


def _reached(service: Service, areas: Sequence[str]) -> dict[str, set[str]]:
    """Those of the areas in which a session has channels, by its number."""
    named = ",".join(f"'{area}'" for area in areas)
    records, asked = _records(
        service, "EcephysChannel", f"structure[acronym$in{named}]", "structure,ecephys_probe", joined=True
    )
    reached: dict[str, set[str]] = {}
    for record in records:
        session = str(value(record, "ecephys_probe.ecephys_session_id", int, asked))
        reached.setdefault(session, set()).add(value(record, "structure.acronym", str, asked))
    return reached


def _records(
    service: Service, model: str, criteria: str, include: str, *, joined: bool = False
) -> tuple[list[Any], str]:
    """All records of a question, page by page, and its address."""
    question = f"model::{model}"
    if criteria:
        question += f",rma::criteria{',' if joined else ''}{criteria}"
    question += f",rma::include,{include}"
    records: list[Any] = []
    asked = ""
    while True:
        paged = f"{question},rma::options[start_row$eq{len(records)}][num_rows$eq{PAGE}][order$eq'id']"
        path = f"api/v2/data/query.json?criteria={urllib.parse.quote(paged, safe=':,()$')}"
        asked = asked or f"{service.base}/{path}"
        answer = service.ask(path)
        if isinstance(answer, dict) and answer.get("success") is False:
            raise RetrieveError(
                f"the archive refuses the question: {str(answer.get('msg'))[:200]}",
                where=asked,
                expected="numbers and names that the archive knows",
                do="correct the query",
            )
        page = value(answer, "msg", list, asked)
        records += page
        if not page or len(records) >= value(answer, "total_rows", int, asked):
            return records, asked


def _answer(choice: Choice, query: Mapping[str, Any], service: Service, asked: str) -> Answer:
    """The chosen sessions, with the sizes of their files."""
    chosen = choice.result(one_per_animal=bool(query.get("one_per_animal")), most=query.get("most"))
    return Answer(tuple(_sized(session, service) for session in chosen), asked)


def _sized(session: Session, service: Service) -> Session:
    sizes = (service.size(place) for place in session.places)
    about = {key: known for key, known in session.about.items() if known is not None and key != "failed"}
    size = next((size for size in sizes if size is not None), None)
    return Session(session.name, session.file, session.places, size, session.sha256, about)


def _links(record: Any, kind: str, base: str) -> list[str]:
    """Addresses of a record's files of a kind at the service itself."""
    files = record.get("well_known_files")
    if not isinstance(files, list):
        return []
    links = [text(file, "download_link") for file in files if text(file, "well_known_file_type.name") == kind]
    return [f"{base}{link}" for link in links if link and link.startswith("/")]


def _shows(sessions: Mapping[str, Sequence[str]], kind: Any, stimulus: str) -> bool:
    return bool(kind == stimulus) or stimulus in sessions.get(str(kind), ())


def _all_there(wanted: Sequence[str], found: set[str], what: str, asked: str) -> None:
    if missing := [number for number in wanted if number not in found]:
        raise RetrieveError(
            f"the archive has no {what} {', '.join(missing)}",
            where=asked,
            expected=f"numbers of the archive's {what}s" + (f"; it has {', '.join(sorted(found))}" if found else ""),
            do="correct the number; a session is not a container, nor a two-photon session one of Neuropixels",
        )
