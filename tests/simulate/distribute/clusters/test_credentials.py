"""Nobody without the run's certificate talks to a cluster that is started here, whoever asks on the same machine."""

import datetime
import json
import os
import ssl
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from allometry.config import ClusterConfig
from allometry.errors import SimulationError
from allometry.simulate.distribute import join
from allometry.simulate.distribute.clusters import credentials, kinds, placement
from tests.simulate.distribute.clusters.stranger import listening, stranger


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody can look into, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the kernel's list of sockets is that of Linux")
def test_what_listens_is_on_the_loopback_interface_and_refuses_strangers(public):
    # clusters of other tests in this process
    before = set(listening({os.getpid()}))
    with kinds.connect("local", 2, 1) as client:
        processes = {os.getpid(), *client.run(os.getpid).values()}
        opened = [address for address in listening(processes) if address not in before]
        assert {host for host, _ in opened} == {"127.0.0.1"}
        assert client.scheduler.address.startswith("tls://")
        asked = [client.scheduler.address, *placement.workers(client)]
        dask_addresses = [address.removeprefix("tls://") for address in asked]
        pages = [f"127.0.0.1:{port}" for _, port in opened if f"127.0.0.1:{port}" not in dask_addresses]
        assert pages
        secret = public / "scheduler"
        credentials.private(secret, "secret")
        reached = stranger(dask_addresses, pages, [str(secret)])
        # Another user, where the tests run as one who may become it; else the same, who can read the file.
        assert reached == ([] if os.geteuid() == 0 else [str(secret)])
        # and the cluster still serves its owner
        assert client.submit(sum, [1, 2]).result() == 3


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the kernel's list of sockets is that of Linux")
def test_the_tasks_of_an_allocation_refuse_strangers_too(public, monkeypatch):
    """Task 0 of a job of one task; it listens where the others of a job would find it."""
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    monkeypatch.chdir(public)
    with kinds.connect("allocation", 1, 1) as client:
        file = Path(kinds.allocation_file())
        assert client.scheduler.address.startswith("tls://")
        asked = [address.removeprefix("tls://") for address in (client.scheduler.address, *placement.workers(client))]
        own = listening({*client.run(os.getpid).values()})
        pages = [f"{host}:{port}" for host, port in own if f"{host}:{port}" not in asked]
        reached = stranger(asked, pages, [str(file)])
        assert reached == ([] if os.geteuid() == 0 else [str(file)])
        assert client.submit(sum, [1, 2]).result() == 3
    assert not file.exists()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the kernel's list of sockets is that of Linux")
def test_a_task_listens_where_its_scheduler_sees_it_and_nowhere_else(tmp_path):
    with kinds.connect("local", 2, 1) as client:
        security = client.security
        path = tmp_path / "scheduler"
        credentials.private(path, json.dumps({"address": client.scheduler.address, **credentials.written(security)}))
        command = [sys.executable, "-m", "allometry.simulate.distribute.join", str(path)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as task:
            try:
                client.wait_for_workers(3, timeout=300)
                assert {host for host, _ in listening({task.pid})} == {"127.0.0.1"}
            finally:
                task.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_task_does_not_join_the_scheduler_of_another_user(tmp_path):
    """Names of files follow from numbers of jobs: somebody may have put his own there before."""
    path = tmp_path / "scheduler"
    credentials.private(
        path, json.dumps({"address": "tls://127.0.0.1:1", **credentials.written(credentials.temporary())})
    )
    os.chown(path, 65534, 65534)
    with pytest.raises(SimulationError, match="belongs to another user"):
        join.serve(path, timeout_s=1.0)


def test_the_stranger_would_be_found_out_where_the_door_is_open(public):
    from distributed import LocalCluster

    (public / "open").write_text("for everybody")
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as open_cluster:
        address = open_cluster.scheduler_address.removeprefix("tcp://")
        page = open_cluster.dashboard_link.split("//")[1].removesuffix("/status").replace("localhost", "127.0.0.1")
        reached = stranger([address], [page], [str(public / "open")])
    assert f"tcp://{address}" in reached
    assert f"{page}/info/main/workers.html" in reached
    assert str(public / "open") in reached


def test_one_partition_listens_for_pages_only_and_on_the_loopback_interface():
    before = set(listening({os.getpid()}))
    with kinds.connect("local", 1, 1):
        opened = set(listening({os.getpid()})) - before
    assert {host for host, _ in opened} <= {"127.0.0.1"}


@pytest.mark.skipif(find_spec("bokeh") is None, reason="bokeh draws the dashboard")
def test_a_dashboard_is_there_when_it_is_asked_for_and_only_here(caplog):
    with caplog.at_level("INFO", "allometry"), kinds.connect({"kind": "local", "dashboard": True}, 2, 1) as client:
        assert "127.0.0.1" in client.dashboard_link
        processes = {os.getpid(), *client.run(os.getpid).values()}
        assert {host for host, _ in listening(processes)} == {"127.0.0.1"}
    assert "dashboard of the simulation's workers: http://127.0.0.1" in caplog.text


def test_a_dashboard_that_cannot_be_drawn_is_refused(monkeypatch):
    monkeypatch.setattr(credentials, "find_spec", lambda name: None)
    with (
        pytest.raises(SimulationError, match="needs the package bokeh"),
        kinds.connect({"kind": "local", "dashboard": True}, 2, 1),
    ):
        pass


def test_what_tasks_of_an_allocation_read_is_for_their_owner_only(tmp_path):
    path = tmp_path / "scheduler"
    old = os.umask(0)
    try:
        credentials.private(path, json.dumps(credentials.written(credentials.temporary())))
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["scheduler"]
    read = credentials.read(json.loads(path.read_text()))
    assert read.require_encryption
    assert isinstance(read.get_connection_args("client")["ssl_context"], ssl.SSLContext)
    assert isinstance(read.get_listen_args("worker")["ssl_context"], ssl.SSLContext)


def _pem(folder: Path, name: str) -> dict[str, str]:
    security = credentials.temporary()
    files = {}
    for kind in ("tls_ca_file", "tls_client_cert", "tls_client_key"):
        files[kind] = str(folder / f"{name} {kind}.pem")
        Path(files[kind]).write_text(getattr(security, kind))
    return files


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda files, other: files.pop("tls_client_key"), "tls_client_key missing"),
        (lambda files, other: files.update(tls_client_key="nowhere.pem"), "there is no file nowhere.pem"),
        (lambda files, other: files.update(tls_client_key=other["tls_client_key"]), "key values mismatch"),
        (lambda files, other: Path(files["tls_client_cert"]).write_text("no certificate"), "these certificates cannot"),
    ],
)
def test_certificates_that_do_not_fit_are_refused_in_one_sentence(tmp_path, change, words):
    files = _pem(tmp_path, "mine")
    change(files, _pem(tmp_path, "other"))
    with (
        pytest.raises(SimulationError, match=words),
        kinds.connect({"kind": "address", "address": "tls://127.0.0.1:1", **files}, 1, 1),
    ):
        pass


def test_a_scheduler_that_does_not_trust_the_certificate_is_named(tmp_path):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, security=credentials.temporary(), dashboard_address=None
    ) as theirs:
        options = {"kind": "address", "address": theirs.scheduler_address, "timeout_s": 3, **_pem(tmp_path, "mine")}
        with (
            pytest.raises(SimulationError, match=r"cannot reach the scheduler(.|\n)*tls_client_cert"),
            kinds.connect(options, 1, 1),
        ):
            pass


def test_a_scheduler_with_certificates_is_reached_by_configuration(tmp_path):
    from distributed import LocalCluster

    from allometry.simulate.point import cluster_options

    theirs = credentials.temporary()
    files = {}
    for kind in ("tls_ca_file", "tls_client_cert", "tls_client_key"):
        files[kind] = str(tmp_path / f"{kind}.pem")
        Path(files[kind]).write_text(getattr(theirs, kind))
    with LocalCluster(n_workers=1, threads_per_worker=1, security=theirs, dashboard_address=None) as started:
        configured = ClusterConfig(kind="address", address=started.scheduler_address, **files)
        with kinds.connect(cluster_options(configured.model_dump()), 1, 1) as client:
            assert client.submit(sum, [1, 2]).result() == 3


def test_certificates_end_with_the_year_at_the_latest():
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(credentials.temporary().tls_client_cert.encode())
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= datetime.timedelta(days=366)
    assert credentials.temporary().tls_client_key != credentials.temporary().tls_client_key
