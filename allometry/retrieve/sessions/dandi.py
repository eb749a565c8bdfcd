"""Sessions of a dandiset, by the service of the DANDI archive, with the checksum that it publishes for every asset.

`dandisets/{id}/versions/{version}/assets/?glob=...` lists assets page by page (`results`, `next`); `.../assets/{asset}/` is
the metadata of one, with `path`, `contentSize` and `digest["dandi:sha2-256"]`; `assets/{asset}/download/` the file itself.

Questions and fields are those of the archive's own source (github.com/dandi/dandi-archive, below `dandiapi/api/`):

- the list of assets, its `glob` (`*` alone is special, capitals and small letters are one) and its `order` by path:
  `views/asset.py`, `NestedAssetViewSet.list` and `AssetFilter`; at most 1000 a page: `views/pagination.py`;
  `asset_id` and `path` of each: `views/serializers.py`, `AssetSerializer`.
- metadata of an asset (`path`, `contentSize`, `digest`, `encodingFormat: application/x-zarr` of a Zarr asset):
  `models/asset.py`, `Asset._populate_metadata`, with `dandi:sha2-256` only once the archive has computed it, in
  `AssetBlob.digest`; a Zarr asset cannot be downloaded as one file: `views/asset.py`, `download`.
- metadata of a version, with `citation`: `views/version.py`, `retrieve`, and `models/version.py`; `license` and
  `assetsSummary.species` (`identifier` in the NCBI taxonomy, `name`): github.com/dandi/dandi-schema, `models.py`. The name
  of the species of 000021 is `House mouse`, so that the identifier counts.
"""

import re
import urllib.parse
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from allometry.errors import RetrieveError
from allometry.retrieve.places import LEARN
from allometry.retrieve.sessions.answers import Service, other_form, text, value
from allometry.retrieve.sessions.session import Answer, Choice, Session
from allometry.species import of_taxon

_SESSION = re.compile(r"_ses-([^_/]+)")
_SUBJECT = re.compile(r"sub-([^_/]+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def sessions(query: Mapping[str, Any], service: Service) -> Answer:
    """Assets of a dandiset that a query means.

    Parameters
    ----------
    query : mapping
        `dandiset`, `version`; `session`: what stands behind `ses-` in the names of files; `asset`: identifiers; `path`: a
        pattern with `*`; `one_per_animal`; `most`.
    service : Service
        The archive's.

    Raises
    ------
    RetrieveError
        No answer, one of another form, an asset or session that is not there, or none that fits.
    """
    place = f"dandisets/{query['dandiset']}/versions/{query['version']}"
    wanted = [str(name) for name in query.get("session") or ()]
    assets = list(query.get("asset") or ())
    if wanted or query.get("path"):
        listed = _listed(service, place, query.get("path") or "*.nwb")
        assets += _of_sessions(listed, wanted, f"{service.base}/{place}") if wanted else list(listed)
    asked = f"{service.base}/{place}/assets/"
    if not assets:
        raise RetrieveError(
            "no asset of the dandiset fits the query",
            where=f"{asked}?glob={query.get('path')}",
            expected="a pattern like sub-*/*_ses-*.nwb; * stands for any text, also with /",
            do="correct `path`",
        )
    described = [_described(service, place, asset) for asset in dict.fromkeys(assets)]
    choice = Choice(_named(described), asked)
    chosen = choice.result(one_per_animal=bool(query.get("one_per_animal")), most=query.get("most"))
    return Answer(chosen, asked, _source(service.ask(f"{place}/")))


def _listed(service: Service, place: str, pattern: str) -> dict[str, str]:
    """Identifier to path of the assets that fit a pattern, in the order of their paths."""
    page = f"{place}/assets/?{urllib.parse.urlencode({'glob': pattern, 'page_size': 1000, 'order': 'path'})}"
    found: dict[str, str] = {}
    while page:
        answer = service.ask(page)
        for record in value(answer, "results", list, page):
            found[value(record, "asset_id", str, page)] = value(record, "path", str, page)
        page = answer.get("next") or ""
        if not isinstance(page, str):
            raise other_form(f"`next` is {page!r}"[:120], place, "an address, or null")
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _of_sessions(listed: Mapping[str, str], wanted: Sequence[str], where: str) -> list[str]:
    """One asset for each session: the file that ends with its name, not those of single probes beside it."""
    chosen = []
    for name in wanted:
        own = {asset: path for asset, path in listed.items() if f"_ses-{name}." in path or f"_ses-{name}_" in path}
        exact = [asset for asset, path in own.items() if path.endswith(f"_ses-{name}.nwb")]
        if len(exact or own) != 1:
            there = sorted({match[1] for path in listed.values() if (match := _SESSION.search(path.partition(".")[0]))})
            raise RetrieveError(
                f"{len(own)} files are of session {name}" if own else f"the dandiset has no session {name}",
                where=where,
                expected="one file; there are " + ", ".join(own.values())
                if own
                else "one of " + (", ".join(there[:40]) or "(no file is named after a session)"),
                do="name the asset or its path" if own else "correct the number, or name another dandiset",
            )
        chosen += exact or list(own)
    return chosen


def _described(service: Service, place: str, asset: str) -> tuple[str, Session]:
    """Path of an asset, and its session under the name of its file."""
    where = f"{place}/assets/{asset}/"
    record = service.ask(where)
    path = value(record, "path", str, where)
    if text(record, "encodingFormat") == "application/x-zarr" or path.rstrip("/").endswith(".zarr"):
        raise RetrieveError(
            f"the asset {path} is a Zarr store of many objects, which the archive does not give as one file",
            where=f"{service.base}/{where}",
            expected="assets that are files, such as *.nwb",
            do="choose others by `path`; or fetch it with the archive's own client (`dandi download`) and name the folder under "
            "`datasets` with `reader: nwb`",
        )
    digest = text(record, "digest.dandi:sha2-256") or LEARN
    if digest != LEARN and not _SHA256.fullmatch(digest):
        raise other_form(f"a checksum is {digest!r}"[:120], where, "64 hex digits")
    animal = _SUBJECT.search(path)
    return path, Session(
        asset,
        re.sub(r"[^A-Za-z0-9._+-]", "_", path.rsplit("/", 1)[-1]),
        (f"{service.base}/assets/{asset}/download/",),
        int(value(record, "contentSize", int, where)),
        digest,
        {"animal": animal[1]} if animal else {},
    )


def _named(described: Sequence[tuple[str, Session]]) -> list[Session]:
    """Sessions named by what stands behind `ses-` in their paths; by the whole name of the file where that is not one."""
    short = [match[1] if (match := _SESSION.search(path.rpartition(".")[0])) else "" for path, _ in described]
    counts = Counter(short)
    names = [
        _plain(name if name and counts[name] == 1 else path.rsplit("/", 1)[-1].removesuffix(".nwb"))
        for name, (path, _) in zip(short, described)
    ]
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise RetrieveError(
            f"two assets have one name: {', '.join(twice)}",
            expected="files of different names",
            do="choose some of them by `asset` or `path`",
        )
    return [
        Session(name, session.file, session.places, session.size, session.sha256, session.about)
        for name, (_, session) in zip(names, described)
    ]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _source(record: Any) -> dict[str, str]:
    """Citation, licence and species of a dandiset, as far as its metadata says them."""
    if not isinstance(record, dict):
        return {}
    licences = [str(one).removeprefix("spdx:") for one in record.get("license") or () if isinstance(one, str)]
    summary = record.get("assetsSummary")
    species = summary.get("species") if isinstance(summary, dict) else None
    first = species[0] if isinstance(species, list) and species else None
    named = text(first, "name")
    found = {
        "citation": text(record, "citation"),
        "licence": ", ".join(licences) or None,
        # Mus musculus - House mouse
        "species": of_taxon(text(first, "identifier") or "") or (named.partition(" - ")[0] if named else None),
    }
    return {key: said for key, said in found.items() if said}
