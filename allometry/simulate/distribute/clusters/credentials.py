"""Who may talk to the clusters that are started here: whoever holds the run's own certificate, and nobody else.

Dask's schedulers and workers execute what they are sent. Each cluster gets a certificate and a key of its own that live
as long as it does; connections without them are refused, and what travels is encrypted.
"""

import ssl
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from allometry.errors import SimulationError
from allometry.files import atomic

LOOPBACK = "127.0.0.1:0"
# Every Dask node serves pages by HTTP, to everybody: of those started here, only whether they are alive.
QUIET = {
    "distributed.scheduler.http.routes": ["distributed.http.health"],
    "distributed.worker.http.routes": ["distributed.http.health"],
}
_TLS = ("tls_ca_file", "tls_client_cert", "tls_client_key")
_KINDS = ("ca_file", "client_cert", "client_key", "worker_cert", "worker_key")


def temporary() -> Any:
    """Return the credentials of one cluster, a `distributed.Security` that is held in memory only."""
    from distributed import Security

    return Security.temporary()


def scheduler_options(dashboard: bool) -> dict[str, Any]:
    """Return what keeps a scheduler's pages on the loopback interface: the health check, or the dashboard if asked for.

    Raises
    ------
    SimulationError
        A dashboard is asked for and bokeh, which draws it, is not installed.
    """
    if dashboard and find_spec("bokeh") is None:
        raise SimulationError(
            "Dask's dashboard needs the package bokeh, which is not installed",
            where="cluster: dashboard",
            expected="bokeh >= 3.1, or dashboard: false",
            do="pip install bokeh",
        )
    return {"dashboard": dashboard, "dashboard_address": LOOPBACK}


def pages(dashboard: bool) -> dict[str, Any]:
    """Return the Dask settings of a cluster with or without a dashboard."""
    return {} if dashboard else QUIET


def given(options: dict[str, Any], address: str) -> Any:
    """Take the certificates for a scheduler that somebody else started out of a cluster's options.

    Parameters
    ----------
    options : dict
        `tls_ca_file`, `tls_client_cert` and `tls_client_key`, paths of PEM files, all of them or none. They are removed.
    address : str
        The scheduler's, for messages.

    Returns
    -------
    A `distributed.Security`, or None where there are none: Dask's own configuration then decides.

    Raises
    ------
    SimulationError
        One is missing, is no file, or key and certificate do not belong together.
    """
    from distributed import Security

    files = {name: options.pop(name, None) for name in _TLS}
    if not any(files.values()):
        return None
    missing = [name for name, file in files.items() if not file]
    if missing:
        raise SimulationError(
            f"{', '.join(missing)} missing", where="cluster: address", expected=f"all of {', '.join(_TLS)}, or none"
        )
    for name, file in files.items():
        if not Path(str(file)).is_file():
            raise SimulationError(f"there is no file {file}", where=f"cluster: {name}", expected="a PEM file")
    security = Security(require_encryption=True, **{name: str(file) for name, file in files.items()})
    try:
        security.get_connection_args("client")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise SimulationError(
            f"these certificates cannot be used for {address}: {_reason(error)}",
            where="cluster: address",
            expected="a certificate and its own key, and the certificate that signed the scheduler's, in PEM",
        ) from error
    return security


def _reason(error: BaseException) -> str:
    return str(getattr(error, "reason", "") or error).lower().replace("_", " ")


def written(security: Any) -> dict[str, str]:
    """Return what a worker needs to join a cluster: certificates and key as PEM text, by the name `Security` has for them."""
    return {f"tls_{kind}": str(getattr(security, f"tls_{kind}")) for kind in _KINDS}


def read(texts: Mapping[str, str]) -> Any:
    """Return the `distributed.Security` that `written` described."""
    from distributed import Security

    return Security(require_encryption=True, **dict(texts))


def private(path: Path, content: str) -> None:
    """Write a file that nobody but its owner can read; it appears whole."""
    with atomic(path, mode=0o600) as stream:
        stream.write(content.encode())
