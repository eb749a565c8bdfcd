"""A run as a Workflow Run RO-Crate: the workflow, its configuration, what it made, and a description that machines read.

Profiles: Process Run Crate 0.5, Workflow Run Crate 0.5 (https://www.researchobject.org/workflow-run-crate/profiles/) and Workflow
RO-Crate 1.0, on RO-Crate 1.1.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from allometry import files
from allometry.errors import AllometryError
from allometry.stores.folders.finding import find_stores
from allometry.stores.storage import manifest as manifests

METADATA = "ro-crate-metadata.json"
CONFIGURATION = "configuration.yaml"
#: Of the checkout, what the crate holds; the folders with all that is in them.
CODE = ("Snakefile", "allometry", "config", "envs", "profiles", "rules", "scripts")
ABOUT = ("config.yaml", "pyproject.toml", "Makefile", "README.md", "LICENSE", "CITATION.cff")
LOCK = "envs/requirements.lock"
STAGES = ("homogenized", "simulated", "scaled", "compared")
LICENCE = "https://spdx.org/licenses/BSD-3-Clause"
SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "*.nbi", "*.nbc", "*.egg-info")

Entity = dict[str, Any]


def create(out: Path, results: Path = Path("results"), *, author: str = "") -> dict[str, int]:
    """Write a crate of the results in a folder; it appears when it is complete.

    Parameters
    ----------
    out : path
        A new folder. Files of results are linked into it where the file system can, else copied.
    results : path
        What a run of the workflow made.
    author : str
        Who ran it, a person's name; left out where empty.

    Returns
    -------
    dict
        What the crate holds, counted: stores, files, data sets.

    Raises
    ------
    AllometryError
        The folder exists, this is no checkout, or there are no results.
    """
    if os.path.lexists(out):
        raise AllometryError("the folder exists", where=str(out), expected="a new name", do="choose another name")
    if not Path("Snakefile").is_file():
        raise AllometryError(
            "this is no checkout of the project",
            where=str(Path.cwd()),
            expected="the folder with the Snakefile",
            do="go there",
        )
    stores = [store for stage in STAGES for store in find_stores(results / stage)]
    if not stores:
        raise AllometryError(
            "there are no results", where=str(results.absolute()), expected="stores", do="run the workflow first"
        )
    described = {store: manifests.read_manifest(store) for store in stores}
    partial = out.with_name(f".{out.name}.partial-{files.mark()}")
    try:
        with files.writing(out, AllometryError):
            partial.mkdir(parents=True)
            _code(partial)
            for store in stores:
                _link(store, partial / "results" / store.relative_to(results))
                path = manifests.manifest_path(store)
                _link(path, partial / "results" / path.relative_to(results))
            if (results / "report").is_dir():
                _link(results / "report", partial / "results" / "report")
            newest = max(described.values(), key=lambda one: str(one["provenance"]["times"]["finished"]))
            text = yaml.safe_dump(newest["provenance"].get("configuration", {}), sort_keys=False, allow_unicode=True)
            (partial / CONFIGURATION).write_text(text, encoding="utf-8")
            graph = _graph(
                partial,
                {store.relative_to(results).as_posix(): one for store, one in described.items()},
                results,
                author,
            )
            document = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
            (partial / METADATA).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return {
        "stores": len(stores),
        "files": sum(1 for path in out.rglob("*") if path.is_file()),
        "data sets": sum(1 for entity in graph if str(entity["@id"]).startswith("#source-")),
    }


def _code(target: Path) -> None:
    for name in (*CODE, *ABOUT):
        source = Path(name)
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_IGNORED)
        elif source.is_file():
            shutil.copy2(source, target / name)


def _link(source: Path, target: Path) -> None:
    """Give a file, or all files of a folder, a second name in the crate."""
    if source.is_dir():
        for path in source.rglob("*"):
            if path.is_file() and path.name != ".snakemake_timestamp":
                _link(path, target / path.relative_to(source))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        files.link_or_copy(source, target)


def _ref(*names: str) -> Any:
    found = [{"@id": name} for name in names]
    return found[0] if len(found) == 1 else found


def _graph(folder: Path, stores: Mapping[str, Mapping[str, Any]], results: Path, author: str) -> list[Entity]:
    """All entities of the description."""
    sources = _sources(results)
    parts = [_store(name, one) for name, one in stores.items()]
    page = folder / "results" / "report" / "index.html"
    report = [_file(folder, page, "Report", "text/html")] if page.is_file() else []
    times = [one["provenance"]["times"] for one in stores.values()]
    versions = next(iter(stores.values()))["provenance"]["packages"]
    configuration = _file(folder, folder / CONFIGURATION, "Configuration of the run", "application/yaml")
    configuration["exampleOfWork"] = _ref("#configuration")
    for entity in (*parts, *report):
        entity["exampleOfWork"] = _ref("#report" if entity in report else "#stores")
    code = [_code_entity(folder, name) for name in (*CODE[1:], LOCK, *ABOUT) if (folder / name).exists()]
    made = [*parts, *report]
    run: Entity = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "Run of the Allometry workflow",
        "instrument": _ref("Snakefile"),
        "description": f"{len(stores)} stores, from the first that was begun to the last that was finished.",
        "startTime": _moment(min(time["started"] for time in times)),
        "endTime": _moment(max(time["finished"] for time in times)),
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "object": [{"@id": entity["@id"]} for entity in (configuration, *sources)],
        "result": [{"@id": entity["@id"]} for entity in made],
    }
    people: list[Entity] = []
    if author:
        people = [{"@id": "#author", "@type": "Person", "name": author}]
        run["agent"] = _ref("#author")
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "name": "Results of a run of Allometry",
        "description": f"{len(stores)} stores (Zarr) of homogenized, simulated and compared neural data, and the workflow "
        "that made them.",
        "datePublished": run["endTime"],
        "license": _ref(LICENCE),
        "conformsTo": _ref(*PROFILES),
        "hasPart": [{"@id": entity["@id"]} for entity in ({"@id": "Snakefile"}, configuration, *code, *made)],
        "mainEntity": _ref("Snakefile"),
        "mentions": _ref("#run"),
    }
    if author:
        root["author"] = _ref("#author")
    return [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": _ref("./"),
            "conformsTo": _ref("https://w3id.org/ro/crate/1.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"),
        },
        root,
        *_workflow(versions),
        run,
        configuration,
        *code,
        *made,
        *sources,
        *people,
        {
            "@id": LICENCE,
            "@type": "CreativeWork",
            "name": "BSD 3-Clause License",
            "description": "Of the workflow; data have the licences that their stores name.",
            "identifier": LICENCE,
        },
        *(
            {"@id": address, "@type": "CreativeWork", "name": name, "version": version}
            for address, (name, version) in PROFILES.items()
        ),
    ]


def _moment(text: str) -> str:
    """A time as the profile wants it: with the offset in numbers."""
    return text.replace("Z", "+00:00")


def _workflow(versions: Mapping[str, str]) -> list[Entity]:
    """The workflow, its language, and its parameters."""
    return [
        {
            "@id": "Snakefile",
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "Allometry",
            "description": "From worm to cortex: retrieve, homogenize, simulate, scale, compare, report.",
            "conformsTo": _ref(_WORKFLOW),
            "programmingLanguage": _ref(SNAKEMAKE),
            "encodingFormat": "text/x-python",
            "license": _ref(LICENCE),
            "version": versions.get("allometry", ""),
            "softwareRequirements": _ref(LOCK),
            "input": _ref("#configuration"),
            "output": _ref("#stores", "#report"),
        },
        {
            "@id": SNAKEMAKE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": _ref("https://doi.org/10.1093/bioinformatics/bts480"),
            "url": _ref("https://snakemake.readthedocs.io"),
            "version": versions.get("snakemake", ""),
        },
        _parameter("#configuration", "configuration", "File", required=True),
        _parameter("#stores", "stores", "Dataset", required=False),
        _parameter("#report", "report", "File", required=False),
    ]


def _parameter(identifier: str, name: str, kind: str, *, required: bool) -> Entity:
    return {
        "@id": identifier,
        "@type": "FormalParameter",
        "name": name,
        "additionalType": kind,
        "conformsTo": _ref(_PARAMETER),
        **({"valueRequired": True} if required else {}),
    }


def _store(name: str, manifest: Mapping[str, Any]) -> Entity:
    """A store: a folder with the sha256 of its content."""
    content = manifest["content"]
    return {
        "@id": f"results/{name}/",
        "@type": "Dataset",
        "name": name.removesuffix(".zarr"),
        "description": f"Zarr store, {len(content['objects'])} files, content sha256 {content['content_sha256']}",
        "identifier": f"sha256:{content['content_sha256']}",
        "encodingFormat": "application/vnd+zarr",
        "dateModified": manifest["provenance"]["times"]["finished"],
    }


def _file(folder: Path, path: Path, name: str, form: str) -> Entity:
    return {
        "@id": path.relative_to(folder).as_posix(),
        "@type": "File",
        "name": name,
        "encodingFormat": form,
        "contentSize": str(path.stat().st_size),
        "sha256": files.sha256_of(path),
    }


_FORMS = {".toml": "application/toml", ".md": "text/markdown", ".yaml": "application/yaml", ".cff": "application/yaml"}


def _code_entity(folder: Path, name: str) -> Entity:
    path = folder / name
    if path.is_dir():
        return {"@id": f"{name}/", "@type": "Dataset", "name": name, "description": f"Part of the workflow: {name}"}
    described = _file(folder, path, name, _FORMS.get(path.suffix, "text/plain"))
    return described | ({"about": _ref("./")} if name == "README.md" else {})


def _sources(results: Path) -> list[Entity]:
    """What was retrieved, a collection for each data set with the names and checksums of its files."""
    found = []
    for path in sorted((results / "raw").glob("*/manifest.json")):
        try:
            listed = json.loads(path.read_bytes())["files"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        name = path.parent.name
        lines = [f"{file} (sha256 {entry['sha256']})" for file, entry in sorted(listed.items())]
        found.append(
            {
                "@id": f"#source-{name}",
                "@type": "PropertyValue",
                "name": f"data set {name}",
                "value": "; ".join(lines),
            }
        )
    return found
