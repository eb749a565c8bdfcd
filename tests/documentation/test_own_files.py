"""The pages on own files do what they say: own-connectome, from tables to a matrix."""

from pathlib import Path

import pytest

from allometry import stores
from tests.documentation import pages, stages


def test_the_connectome_of_the_page_becomes_a_matrix(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pages.write(tmp_path, pages.files("own-connectome"))
    (command,) = pages.blocks(pages.page("own-connectome"), "bash")
    assert command.text == "allometry run my.yaml homogenize\n"
    stages.run(Path("my.yaml"), root)
    (example,) = pages.blocks(pages.page("own-connectome"), "python")
    capsys.readouterr()
    pages.execute(example, {})
    assert capsys.readouterr().out == example.prints
    store = stores.open(tmp_path / "results/homogenized/connectome/my_circuit.zarr")
    assert store.attrs["title"] == "Connectome my_circuit"
    assert store["side"].values.tolist() == ["left", "left", "right"]
