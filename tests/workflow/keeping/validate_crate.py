"""Validate a crate with rocrate-validator, in its own environment (envs/rocrate-validator.txt), without a network.

    python tests/workflow/keeping/validate_crate.py CRATE

The context of RO-Crate is that of the package rocrate, a later one; where its terms differ they are those of 1.1. The validator would fetch it.
"""

import importlib.resources
import json
import sys
from types import SimpleNamespace
from typing import Any

from rocrate_validator import models, services
from rocrate_validator.utils import document_loader
from rocrate_validator.utils.http import HttpRequester

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
# Where the context of 1.1 differs from the later one
TERMS = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}


def main(crate: str) -> int:
    """Print what is violated; return whether anything is."""
    shipped = json.loads(importlib.resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_text("utf8"))
    shipped["@context"] |= TERMS
    text = json.dumps(shipped)
    document_loader._fetch_json_ld = lambda url: _known(url, text)

    def get(self: HttpRequester, url: str, *args: Any, **options: Any) -> Any:
        return SimpleNamespace(
            status_code=200,
            ok=True,
            text=text,
            content=text.encode(),
            json=lambda: _known(url, text),
            headers={"Content-Type": "application/ld+json"},
            url=url,
        )

    HttpRequester.get = get  # type: ignore[method-assign]
    HttpRequester.head = get  # type: ignore[method-assign]
    HttpRequester.fetch_fresh = get  # type: ignore[method-assign]
    settings = services.ValidationSettings(
        rocrate_uri=crate,
        profile_identifier="workflow-run-crate-0.5",
        requirement_severity=models.Severity.RECOMMENDED,
        no_cache=True,
    )
    result = services.validate(settings)
    failed = 0
    for issue in result.get_issues(models.Severity.OPTIONAL):
        required = issue.severity == models.Severity.REQUIRED
        failed += required
        print(f"{issue.severity.name}: {issue.check.identifier}: {issue.message} ({issue.violatingEntity})")
    print(f"{len(result.get_issues(models.Severity.OPTIONAL))} issues, {failed} of them required")
    return int(failed > 0)


def _known(url: str, text: str) -> Any:
    if url != CONTEXT:
        raise RuntimeError(f"{url} would be fetched")
    return json.loads(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
