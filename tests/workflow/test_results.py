"""What lies below results/: every file of it is verified, manifests say how it was made, and a moved URL remakes nothing."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.forked import Forks
from tests.workflow.conftest import Run


def _verify(forks: Forks, folder: Path) -> subprocess.CompletedProcess[str]:
    return forks.run("allometry", "verify", str(folder))


@pytest.mark.parametrize(
    "name",
    [
        "raw/white1986/*.csv",
        "compared/worm_agreement.cards.json",
        "report/index.html",
        "report/cards/worm_agreement.html",
        "report/figures/compared_worm_agreement.png",
    ],
)
def test_a_changed_byte_outside_of_stores_is_found(forks: Forks, finished: Path, name: str) -> None:
    path = next(iter((finished / "results").glob(name)))
    whole, status = path.read_bytes(), path.stat()
    # a new file, since what was retrieved may be a link into a cache
    changed = path.with_name("changed")
    changed.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    aside = path.with_name("aside")
    path.rename(aside)
    changed.rename(path)
    try:
        done = _verify(forks, path.parents[len(path.relative_to(finished / "results").parts) - 2])
        assert done.returncode == 1
        assert f"{path}: content differs" in done.stdout
    finally:
        aside.replace(path)
    assert path.stat().st_mtime_ns == status.st_mtime_ns


def test_every_manifest_of_a_store_holds_the_full_configuration(finished: Path, root: Path) -> None:
    configuration = yaml.safe_load((root / "tests/config.yaml").read_text())
    paths = [*(finished / "results").rglob("*.manifest.json"), finished / "results/report/manifest.json"]
    assert len(paths) > 10
    for path in paths:
        provenance = json.loads(path.read_bytes())["provenance"]
        assert provenance["configuration"] == configuration, path
        assert provenance["cluster"] == "local"
        assert {"git", "host", "packages", "times"} <= provenance.keys()


def test_a_moved_address_remakes_the_page_alone(snakemake: Run, finished: Path, root: Path, tmp_path: Path) -> None:
    registry = (root / "config/datasets.yaml").read_text(encoding="utf-8")
    moved = registry.replace("https://raw.githubusercontent.com/", "https://example.org/")
    assert moved != registry
    (tmp_path / "datasets.yaml").write_text(moved, encoding="utf-8")
    configuration = yaml.safe_load((root / "tests/config.yaml").read_text()) | {
        "registry": str(tmp_path / "datasets.yaml")
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(configuration, sort_keys=False))
    options = ("--cores", "2", "--configfile", str(tmp_path / "mine.yaml"), "-n")
    done = snakemake(*options, directory=finished, timed=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # from the table of jobs: a rule with a message is not named elsewhere
    planned = set(re.findall(r"^(\w+) +\d+$", done.stdout + done.stderr, re.MULTILINE)) - {"total"}
    # the page lists the data sets; no data set is fetched or read again
    assert planned == {"write_page", "all"}
