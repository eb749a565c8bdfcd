"""A server that answers as the archives do: RMA of the Allen Institute, the DANDI archive, and the files themselves.

Records have the fields that the sources of these services and of their clients name (`allometry.retrieve.sessions`); everything
in them is made up.
"""

import contextlib
import fnmatch
import hashlib
import json
import re
import threading
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any

from tests.retrieve.conftest import Web, _Handler


@dataclass
class Archives(Web):
    """What the archives hold; `questions` are the addresses that were asked for JSON."""

    experiments: list[dict[str, Any]] = field(default_factory=list)
    ecephys: list[dict[str, Any]] = field(default_factory=list)
    channels: list[dict[str, Any]] = field(default_factory=list)
    assets: dict[str, tuple[str, bytes, dict[str, Any]]] = field(default_factory=dict)  # path, content, digest
    questions: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)  # what is answered instead, by a part of the address
    refused: list[int] = field(default_factory=list)  # statuses of the next questions
    species: list[Any] = field(
        default_factory=lambda: [
            {"name": "House mouse", "identifier": "http://purl.obolibrary.org/obo/NCBITaxon_10090"}
        ]
    )
    page: int = 2

    def two_photon(self, number: int, content: bytes = b"nwb", **about: Any) -> None:
        """Add an experiment with its file."""
        area = about.get("area", "VISp")
        self.experiments.append(
            {
                "id": number,
                "experiment_container_id": about.get("container", 511510736),
                "experiment_container": {"id": about.get("container", 511510736), "failed": about.get("failed", False)},
                "imaging_depth": about.get("depth", 175),
                "stimulus_name": about.get("stimulus", "three_session_A"),
                "targeted_structure": {"id": 385, "acronym": area, "name": "synthetic"},
                "specimen": {
                    "id": 1,
                    "donor": {
                        "id": 2,
                        "external_donor_name": about.get("animal", "222426"),
                        "age": {"days": 104},
                        "transgenic_lines": [
                            {"name": "Camk2a-tTA", "transgenic_line_type_name": "driver"},
                            {"name": about.get("line", "Cux2-CreERT2"), "transgenic_line_type_name": "driver"},
                            {"name": "Ai93(TITL-GCaMP6f)", "transgenic_line_type_name": "reporter"},
                        ],
                    },
                },
                "well_known_files": [
                    {"download_link": f"/api/v2/well_known_file_download/{number}0", "well_known_file_type": {"name": "NWBOphys"}},
                    {"download_link": "/api/v2/well_known_file_download/1", "well_known_file_type": {"name": "Other"}},
                ],
            }
        )  # fmt: skip
        self.files[f"/files/visual-coding-2p/ophys_experiment_data/{number}.nwb"] = content

    def neuropixels(self, number: int, content: bytes = b"nwb", **about: Any) -> None:
        """Add an extracellular session with its file."""
        self.ecephys.append(
            {
                "id": number,
                "stimulus_name": about.get("stimulus", "brain_observatory_1.1"),
                "specimen": {
                    "id": 10 + number,
                    "donor": {
                        "id": about.get("animal", 20 + number),
                        "sex": "M",
                        "age": {"days": 118},
                        "full_genotype": about.get("genotype", "Sst-IRES-Cre/wt;Ai32(RCL-ChR2(H134R)_EYFP)/wt"),
                    },
                },
                "well_known_files": [
                    {"download_link": f"/api/v2/well_known_file_download/{number}1", "well_known_file_type": {"name": "EcephysNwb"}}
                ],
            }
        )  # fmt: skip
        for area in about.get("areas", ["VISp"]):
            self.channels.append(
                {"id": len(self.channels), "structure": {"acronym": area}, "ecephys_probe": {"ecephys_session_id": number}}
            )  # fmt: skip
        place = f"/files/visual-coding-neuropixels/ecephys-cache/session_{number}/session_{number}.nwb"
        self.files[place] = content

    def asset(self, path: str, content: bytes = b"nwb", **digest: Any) -> str:
        """Add an asset to every dandiset; its identifier."""
        identifier = str(uuid.UUID(bytes=hashlib.md5(path.encode(), usedforsecurity=False).digest()))
        known = {"dandi:dandi-etag": "0-1", "dandi:sha2-256": hashlib.sha256(content).hexdigest()}
        self.assets[identifier] = (path, content, digest or known)
        self.files[f"/blobs/{identifier}"] = content
        self.redirects[f"/dandi/assets/{identifier}/download/"] = f"{self.url}/blobs/{identifier}"
        return identifier

    def services(self) -> dict[str, str]:
        """The addresses for the configuration."""
        return {"brain_map": self.url, "allen_files": f"{self.url}/files", "dandi": f"{self.url}/dandi"}

    def answer(self, path: str) -> Any:
        """The JSON for a path; None where there is nothing."""
        for part, said in self.answers.items():
            if part in path:
                return said
        parts = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if parts.path == "/api/v2/data/query.json":
            return self._rma(query["criteria"])
        if match := re.fullmatch(r"/dandi/dandisets/(\d{6})/versions/([^/]+)/(.*)", parts.path):
            return self._dandi(match[2], match[3], query)
        return None

    def _rma(self, criteria: str) -> Any:
        model = re.match(r"model::(\w+)", criteria)
        assert model is not None
        records = {
            "OphysExperiment": self.experiments,
            "EcephysSession": self.ecephys,
            "EcephysChannel": self.channels,
        }[model[1]]
        assert ",rma::include," in criteria
        for key, values in re.findall(r"(?:rma::criteria|\])\[(\w+)\$in([\d,]+)\]", criteria):
            records = [record for record in records if str(record[key]) in values.split(",")]
        if acronym := re.search(r"rma::criteria,structure\[acronym\$in([^\]]+)\]", criteria):
            records = [record for record in records if f"'{record['structure']['acronym']}'" in acronym[1].split(",")]
        start = re.search(r"\[start_row\$eq(\d+)\]\[num_rows\$eq\d+\]\[order\$eq'id'\]", criteria)
        assert start is not None
        page = sorted(records, key=lambda record: record["id"])[int(start[1]) :][: self.page]
        return {
            "success": True,
            "id": 0,
            "start_row": int(start[1]),
            "num_rows": len(page),
            "total_rows": len(records),
            "msg": page,
        }

    def _dandi(self, version: str, rest: str, query: dict[str, str]) -> Any:
        if version != "draft":
            return None
        if rest == "":
            return {
                "citation": "Siegle et al. (2022) Visual Coding (draft). DANDI Archive.",
                "license": ["spdx:CC-BY-4.0"],
                "assetsSummary": {"species": self.species},
            }
        if rest == "assets/":
            paths = sorted(
                (path, key) for key, (path, _, _) in self.assets.items() if fnmatch.fnmatch(path, query["glob"])
            )
            at = int(query.get("page", "1"))
            chosen = paths[(at - 1) * self.page : at * self.page]
            more = urllib.parse.urlencode({**query, "page": at + 1})
            return {
                "count": len(paths),
                "next": f"{self.url}/dandi/dandisets/000021/versions/draft/assets/?{more}" if at * self.page < len(paths) else None,
                "results": [{"asset_id": key, "path": path, "size": len(self.assets[key][1])} for path, key in chosen],
            }  # fmt: skip
        key = rest.removeprefix("assets/").rstrip("/")
        if key not in self.assets:
            return None
        path, content, digest = self.assets[key]
        return {"identifier": key, "path": path, "contentSize": len(content), "digest": digest}


class Handler(_Handler):
    """Answers questions, and serves files as the other tests' server does."""

    web: Archives

    def do_HEAD(self) -> None:
        body = self.web.files.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()

    def do_GET(self) -> None:
        said = self.web.answer(self.path)
        if said is None and ("/query.json" not in self.path and "/dandisets/" not in self.path):
            super().do_GET()
            return
        self.web.questions.append(self.path)
        status = self.web.refused.pop(0) if self.web.refused else 404 if said is None else 200
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serving() -> Iterator[Archives]:
    """Serve archives for the time of a block."""
    state = Archives()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"web": state}))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign,assignment]
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
