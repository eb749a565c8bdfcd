"""The words of `allometry run` in the order of Snakemake; oracle: what Snakemake's own parser makes of them."""

from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser

from allometry.errors import ConfigError
from allometry.terminal.arguments import arranged


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["--cores", "all"]),
        (["my.yaml"], ["--cores", "all", "--configfile", "my.yaml"]),
        (["my.yaml", "homogenize"], ["homogenize", "--cores", "all", "--configfile", "my.yaml"]),
        (["homogenize", "my.yaml", "-n"], ["homogenize", "-n", "--cores", "all", "--configfile", "my.yaml"]),
        (["--cores", "2", "homogenize", "my.yaml"], ["--cores", "2", "homogenize", "--configfile", "my.yaml"]),
        (["a.yaml", "b.yml", "-c1"], ["-c1", "--configfile", "a.yaml", "b.yml"]),
        (["--configfile", "a.yaml", "-n"], ["--configfile", "a.yaml", "-n", "--cores", "all"]),
        (["--workflow-profile", "profiles/slurm"], ["--workflow-profile", "profiles/slurm"]),
        (["results/a.zarr", "-j", "3"], ["results/a.zarr", "-j", "3"]),
    ],
)
def test_targets_options_configurations(words: list[str], expected: list[str]) -> None:
    found = arranged(words)
    assert found == expected
    known = get_argument_parser().parse_args(found)
    assert set(known.targets) == {word for word in words if word in ("homogenize", "results/a.zarr")}
    assert [str(file) for file in known.configfile or []] == [
        word for word in words if Path(word).suffix in (".yaml", ".yml")
    ]


def test_configurations_in_two_ways_are_refused() -> None:
    with pytest.raises(ConfigError, match="two ways"):
        arranged(["my.yaml", "--configfile", "other.yaml"])


def test_options_that_snakemake_does_not_know_are_left_to_it() -> None:
    assert arranged(["my.yaml", "--coers", "2"]) == ["--coers", "2", "--configfile", "my.yaml"]
