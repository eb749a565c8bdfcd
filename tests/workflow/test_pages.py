"""Examples of the pages comparisons and bring-your-data, with the results of a run."""

from pathlib import Path

import pytest

from allometry.compare import runner
from tests.documentation import pages


@pytest.fixture(scope="module")
def results(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the results of the run, and the model recovery of config.yaml at the smallest size."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "results").mkdir()
    for path in (finished / "results").iterdir():
        if path.name != "compared":
            (folder / "results" / path.name).symlink_to(path)
    compared = folder / "results/compared"
    compared.mkdir()
    for path in (finished / "results/compared").iterdir():
        (compared / path.name).symlink_to(path)
    options = {"kind": "model_recovery", "of": "representations", "items": 8, "units": 6, "draws": 5, "nulls": 20}
    name = "representation_recovery"
    runner.run(options, {}, compared / f"{name}.zarr", cards=compared / f"{name}.cards.json")
    return folder


@pytest.mark.parametrize("name", ["bring-your-data", "comparisons"])
def test_a_page_runs_on_results(
    name: str, results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(results)
    namespace: dict[str, object] = {}
    for block in pages.blocks(pages.page(name), "python"):
        pages.execute(block, namespace)
    assert capsys.readouterr().out
