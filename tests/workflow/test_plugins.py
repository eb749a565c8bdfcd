"""The examples of the pages on plugins through Snakemake: jobs import the plugin, and an edit of it reruns what uses it."""

import json
import re
from pathlib import Path

import pytest

from allometry import stores
from tests.documentation import pages
from tests.workflow.conftest import Run


@pytest.mark.slow
def test_plugin_in_the_workflow(snakemake: Run, tmp_path: Path) -> None:
    found = [b for name in ("plugins", "own-measure", "own-comparison") for b in pages.blocks(pages.page(name))]
    examples = [(block.title, block.text) for block in found if block.title]
    for name, text in examples:
        if name.endswith(".py"):
            path = tmp_path / "mine" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    (text,) = (text for name, text in examples if "rate_comparison" in text and name == "my.yaml")
    configuration = tmp_path / "mine/my.yaml"
    configuration.write_text(text.replace("compare:", "  partitions: 2\ncompare:"))
    arguments = ("--cores", "2", "--configfile", str(configuration))

    done = snakemake(*arguments, directory=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    (score,) = stores.open(tmp_path / "results/compared/my_rates.zarr")["score"].values
    assert score > 1
    shown = json.loads((tmp_path / "results/report/figures/compared_my_rates.json").read_text())
    assert "relative to those of the first" in json.dumps(shown)
    assert "rate_ratio" in (tmp_path / "results/report/cards/my_rates.html").read_text()

    again = snakemake(*arguments, "-n", directory=tmp_path)
    assert "Nothing to be done" in again.stdout + again.stderr
    edited = tmp_path / "mine/my_lab/rates.py"
    assert "np.mean(rates)" in edited.read_text()
    edited.write_text(edited.read_text().replace("np.mean(rates)", "np.median(rates)"))
    planned = snakemake(*arguments, "-n", directory=tmp_path)
    rules = set(re.findall(r"^(\w+) +\d+$", planned.stdout + planned.stderr, re.MULTILINE))
    assert {"compare_run", "draw_comparisons"} <= rules
    assert not {"draw_connectomes", "homogenize_store"} & rules

    edited.write_text("import nothing_of_this_name\n")
    refused = snakemake(*arguments, "-n", directory=tmp_path)
    assert refused.returncode == 1
    assert "PluginError: the plugin 'my_lab' does not import" in refused.stderr
    assert "Traceback" not in refused.stderr
