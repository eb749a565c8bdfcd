"""The example of docs/networks.md runs, and gives what the page says."""

import re
from pathlib import Path

import pytest

from allometry import stores


def test_the_example_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    code = re.findall(r"```python\n(.*?)```", (root / "docs/networks.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(code) == 1
    monkeypatch.chdir(tmp_path)
    exec(compile(code[0], "networks.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "('step', 'probe') pA (2, " in printed
    assert " ms" in printed
    for name in ("network", "connections"):
        stores.validate(stores.open(tmp_path / f"{name}.zarr"))
    spikes = stores.open(tmp_path / "network.zarr")
    assert spikes.sizes["spike"] > 100
    assert spikes["recorded"].values.sum() == 200 + 100 + 2
