"""Nobody without the run's certificate talks to a cluster that is started here, whoever asks on the same machine."""

import datetime
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from allometry.config import ClusterConfig
from allometry.errors import SimulationError
from allometry.simulate.distribute.clusters import credentials, kinds, placement

# What a stranger tries: to be a client without and with a certificate of his own, and to read pages.
STRANGER = """
import json, os, sys
from urllib.request import urlopen
from distributed import Client, Security
import dask
Security.temporary()
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
dask.config.set({"distributed.comm.timeouts.connect": "2s", "distributed.comm.retry.count": 0})
reached = []
for address in sys.argv[1].split():
    for scheme, security in (("tcp", None), ("tls", Security.temporary())):
        try:
            with Client(f"{scheme}://{address}", timeout=2, security=security) as client:
                client.run_on_scheduler(lambda: None)
            reached.append(f"{scheme}://{address}")
        except Exception:
            pass
for address in sys.argv[2].split():
    for page in ("status", "info/main/workers.html", "json/identity.json", "metrics"):
        try:
            with urlopen(f"http://{address}/{page}", timeout=5) as answer:
                reached.append(f"{address}/{page}")
        except Exception:
            pass
for file in sys.argv[3].split():
    try:
        open(file).read()
        reached.append(file)
    except PermissionError:
        pass
print(json.dumps(reached))
"""


def _stranger(addresses: list[str], pages: list[str], files: list[str]) -> list[str]:
    command = [sys.executable, "-c", STRANGER, *map(" ".join, (addresses, pages, files))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    reached: list[str] = json.loads(done.stdout.splitlines()[-1])
    return reached


def _listening(processes: set[int]) -> list[tuple[str, int]]:
    """Return the addresses on which TCP sockets of processes listen, as the kernel lists them."""
    inodes = set()
    for process in processes:
        for link in Path(f"/proc/{process}/fd").iterdir():
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = []
    for table, width in (("tcp", 8), ("tcp6", 32)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and columns[9] in inodes:
                host, port = columns[1].split(":")
                assert len(host) == width
                readable = socket.inet_ntoa(bytes.fromhex(host)[::-1]) if width == 8 else host
                found.append((readable, int(port, 16)))
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the kernel's list of sockets is that of Linux")
def test_what_listens_is_on_the_loopback_interface_and_refuses_strangers(tmp_path):
    # clusters of other tests in this process
    before = set(_listening({os.getpid()}))
    with kinds.connect("local", 2, 1) as client:
        processes = {os.getpid(), *client.run(os.getpid).values()}
        listening = [address for address in _listening(processes) if address not in before]
        assert {host for host, _ in listening} == {"127.0.0.1"}
        assert client.scheduler.address.startswith("tls://")
        asked = [client.scheduler.address, *placement.workers(client)]
        dask_addresses = [address.removeprefix("tls://") for address in asked]
        pages = [f"127.0.0.1:{port}" for _, port in listening if f"127.0.0.1:{port}" not in dask_addresses]
        assert pages
        secret = tmp_path / "scheduler"
        credentials.private(secret, "secret")
        tmp_path.chmod(0o755)
        reached = _stranger(dask_addresses, pages, [str(secret)])
        # Another user, where the tests run as one who may become it; else the same, who can read the file.
        assert reached == ([] if os.geteuid() == 0 else [str(secret)])
        # and the cluster still serves its owner
        assert client.submit(sum, [1, 2]).result() == 3


def test_the_stranger_would_be_found_out_where_the_door_is_open():
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as open_cluster:
        address = open_cluster.scheduler_address.removeprefix("tcp://")
        page = open_cluster.dashboard_link.split("//")[1].removesuffix("/status").replace("localhost", "127.0.0.1")
        reached = _stranger([address], [page], [])
    assert f"tcp://{address}" in reached
    assert f"{page}/info/main/workers.html" in reached


def test_one_partition_listens_for_pages_only_and_on_the_loopback_interface():
    before = set(_listening({os.getpid()}))
    with kinds.connect("local", 1, 1):
        opened = set(_listening({os.getpid()})) - before
    assert {host for host, _ in opened} <= {"127.0.0.1"}


@pytest.mark.skipif(find_spec("bokeh") is None, reason="bokeh draws the dashboard")
def test_a_dashboard_is_there_when_it_is_asked_for_and_only_here(caplog):
    with caplog.at_level("INFO", "allometry"), kinds.connect({"kind": "local", "dashboard": True}, 2, 1) as client:
        assert "127.0.0.1" in client.dashboard_link
        processes = {os.getpid(), *client.run(os.getpid).values()}
        assert {host for host, _ in _listening(processes)} == {"127.0.0.1"}
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
