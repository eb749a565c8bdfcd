"""Fixtures of exports."""

import pytest

from tests.export.exports import anatomical, exported
from tests.stores import samples


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What an export of a sample gave, its file, and the sample; each is made once."""
    found = {}

    def make(kind, to):
        if (kind, to) not in found:
            obj = anatomical() if kind == "anatomical" else samples.sample(kind)
            found[kind, to] = (*exported(tmp_path_factory.mktemp(f"{kind}_{to}"), obj, to), obj)
        return found[kind, to]

    return make
