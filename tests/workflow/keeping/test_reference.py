"""The stores of the test configuration have the content of the reference, whatever the CPU."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allometry import cli
from allometry.errors import AllometryError
from allometry.workflow.keeping import reference
from tests.workflow.keeping import compare_again, simulate_again

FILE = "tests/reference-manifests.json"

# What this CPU has above the one that all packages are built for; numpy refuses to do without what it is built for.
_ABOVE = " ".join(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))
_LIBM = ",".join(f"-{name}" for name in ("AVX2", "FMA", "FMA4", "AVX", "AVX512F", "AVX512VL", "AVX512BW", "AVX512DQ"))
#: Environments in which libraries see another CPU: BLAS and LAPACK, loops of numpy, libm, kernels of numba.
CPUS = {
    "without AVX512": {"OPENBLAS_CORETYPE": "Haswell"},
    "without AVX": {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": _ABOVE,
        "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={_LIBM}",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
    },
}


#: The variables are those of x86-64 and glibc.
emulates = pytest.mark.skipif(
    not (sys.platform.startswith("linux") and platform.machine() == "x86_64"),
    reason="other CPUs are emulated on x86-64 under Linux",
)


@pytest.fixture
def stored(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / FILE).read_bytes())
    return found


def test_results_are_those_of_the_reference(
    root: Path, finished: Path, capsys: pytest.CaptureFixture[str], stored: dict[str, Any]
) -> None:
    status = cli.main(["reference", str(root / FILE), str(finished / "results")])
    said = capsys.readouterr().out
    assert status == 0, said
    assert said == f"compared with the {len(stored['stores'])} stores of the reference: no differences\n"
    assert {name.partition("/")[0] for name in stored["stores"]} == {"homogenized", "simulated", "scaled", "compared"}


@emulates
@pytest.mark.parametrize("cpu", CPUS)
def test_comparisons_are_the_same_on_another_cpu(
    root: Path, finished: Path, tmp_path: Path, stored: dict[str, Any], cpu: str
) -> None:
    command = [sys.executable, "-m", "tests.workflow.keeping.compare_again", str(finished / "results"), str(tmp_path)]
    done = subprocess.run(
        [*command, str(root / "tests/config.yaml")],
        cwd=root,
        # threads that the user asks for are no more of a difference than the CPU
        env=os.environ | CPUS[cpu] | {"OPENBLAS_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    found = json.loads(done.stdout.splitlines()[-1])
    expected = {name: sha256 for name, sha256 in stored["stores"].items() if name.startswith("compared/")}
    assert {f"compared/{name}": sha256 for name, sha256 in found["contents"].items()} == expected
    assert found["drive"] == compare_again.drive()
    assert found["trace"] == compare_again.trace()
    # the other CPU was there
    if cpu == "without AVX":
        assert set(found["kernels"]).isdisjoint({"Haswell", "SkylakeX", "Zen"})
        assert found["blas_sum"] != compare_again.blas_sum()
    else:
        assert found["kernels"] == ["Haswell"]


@pytest.mark.slow
@emulates
@pytest.mark.parametrize("cpu", CPUS)
def test_simulations_and_studies_are_the_same_on_another_cpu(
    root: Path, finished: Path, tmp_path: Path, stored: dict[str, Any], cpu: str
) -> None:
    """Kernels are compiled for the other CPU, which takes most of a minute."""
    command = [sys.executable, "-m", "tests.workflow.keeping.simulate_again", str(finished / "results"), str(tmp_path)]
    done = subprocess.run(
        [*command, str(root / "tests/config.yaml")],
        cwd=root,
        env=os.environ | CPUS[cpu],
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    found = json.loads(done.stdout.splitlines()[-1])
    expected = {name: sha256 for name, sha256 in stored["stores"].items() if name.startswith(("simulated/", "scaled/"))}
    assert found["contents"] == expected
    assert found["networks"] == simulate_again.networks()
    assert found["theory"] == simulate_again.theory()


@pytest.fixture
def made(tmp_path: Path, finished: Path) -> Path:
    """A reference of the finished run that a test may change."""
    path = tmp_path / "reference.json"
    assert reference.make(path, finished / "results") > 20
    return path


def _changed(path: Path, **values: Any) -> Path:
    path.write_text(json.dumps(json.loads(path.read_bytes()) | values))
    return path


def test_the_command_makes_the_reference_that_is_stored(
    root: Path, tmp_path: Path, finished: Path, stored: dict[str, Any]
) -> None:
    path = tmp_path / "reference.json"
    assert cli.main(["reference", str(path), str(finished / "results"), "--make"]) == 0
    assert json.loads(path.read_bytes())["stores"] == stored["stores"]
    assert path.read_bytes().startswith(b"{\n")
    assert path.read_bytes().endswith(b"}\n")


def test_stores_that_differ_are_missing_or_were_not_expected_are_named(
    made: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = json.loads(made.read_bytes())["stores"]
    stores["compared/worm_agreement.zarr"] = "0" * 64
    stores["compared/gone.zarr"] = "0" * 64
    del stores["compared/microcircuit_seeds.zarr"]
    assert cli.main(["reference", str(_changed(made, stores=stores)), str(finished / "results")]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "compared/gone.zarr: is missing",
        "compared/microcircuit_seeds.zarr: is not in the reference",
        "compared/worm_agreement.zarr: content differs from the reference",
        f"compared with the {len(stores)} stores of the reference: 3 differences",
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"allometry": "0.0.1"}, "allometry 0.0.1, here "),
        ({"reference_version": 0}, "reference version 0, here 1"),
        ({"schemas": {"scores": 2}}, "schema of scores 2, here 3"),
    ],
)
def test_a_reference_of_another_version_is_one_message(
    made: Path, finished: Path, changed: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["reference", str(_changed(made, **changed)), str(finished / "results")]) == 1
    told = capsys.readouterr().err
    assert "the reference was made by another version: " in told
    assert said in told
    assert f"allometry reference {made} {finished / 'results'} --make" in told


def test_other_packages_are_named_only_where_contents_differ(made: Path, finished: Path) -> None:
    values = json.loads(made.read_bytes())
    packages = values["packages"] | {"numpy": "1.0"}
    _changed(made, packages=packages)
    assert reference.differences(made, finished / "results") == (len(values["stores"]), [])
    _changed(made, stores=values["stores"] | {"compared/worm_agreement.zarr": "0" * 64})
    with pytest.raises(AllometryError, match=r"another version: numpy 1\.0, here [\d.]+\n"):
        reference.differences(made, finished / "results")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stores": [], "schemas": {}, "packages": {}}', None])
def test_what_is_no_reference_is_one_message(tmp_path: Path, finished: Path, text: str | None) -> None:
    path = tmp_path / "reference.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(AllometryError, match="this is no reference" if text is not None else "no such reference"):
        reference.differences(path, finished / "results")


def test_results_without_stores_are_one_message(tmp_path: Path) -> None:
    with pytest.raises(AllometryError, match="there are no results"):
        reference.make(tmp_path / "reference.json", tmp_path)
