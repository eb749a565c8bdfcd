"""Passwords and tokens of web addresses: from the environment or from netrc, and nowhere else.

An address as it is configured stands in manifests, logs and messages. A secret is put in its place when the connection is
made, and never leaves that function.
"""

import base64
import netrc
import os
import re
import urllib.parse
from pathlib import Path

from allometry.errors import RetrieveError

_VARIABLE = re.compile(r"\$([A-Z_][A-Z0-9_]*)")
_USER = re.compile(r"(?<=://)[^/?#@\s]*@")


def redacted(text: str) -> str:
    """Return text in which whatever stands before the host of an address is replaced."""
    return _USER.sub("***@", text)


def require_none(address: str) -> str:
    """Return the address itself where it holds no password.

    Raises
    ------
    RetrieveError
        It has the form `https://user:password@host`, which would stand in every manifest.
    """
    if _USER.search(address):
        raise RetrieveError(
            "an address holds a user or password, which would be written into every manifest",
            where=redacted(address),
            expected="https://host/path, or https://host/path?token=$NAME with an environment variable NAME",
            do="put `machine HOST login USER password PASSWORD` into ~/.netrc, or the secret into the environment",
        )
    return address


def filled(address: str) -> str:
    """Return the address with `$NAME` (capitals) replaced by environment variables, for the connection alone.

    Raises
    ------
    RetrieveError
        A variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise RetrieveError(
                f"the environment variable {match[1]} is not set",
                where=address,
                expected=f"the secret of that address in {match[1]}",
                do=f"export {match[1]}=... before the workflow starts",
            )
        return urllib.parse.quote(os.environ[match[1]], safe="")

    return _VARIABLE.sub(value, address)


def authorization(address: str) -> str | None:
    """Return the header `Authorization` that netrc has for the host of an https address; None where it has none.

    The file is that which `NETRC` names, else `.netrc` in the home folder. An entry `default` is not used: it would be sent
    to every server.

    Raises
    ------
    RetrieveError
        The file cannot be read.
    """
    parts = urllib.parse.urlsplit(address)
    file = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    # a password never travels without encryption, but to this machine
    if not (parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1")) or not file.is_file():
        return None
    try:
        hosts = netrc.netrc(str(file)).hosts
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError) as error:
        reason = error.msg if isinstance(error, netrc.NetrcParseError) else str(error)
        raise RetrieveError(
            f"the file of passwords cannot be read: {reason}",
            where=str(file),
            expected="lines `machine HOST login USER password PASSWORD`, readable by you alone (chmod 600)",
        ) from None
    known = hosts.get(str(parts.hostname))
    if known is None:
        return None
    user, _, password = known
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
