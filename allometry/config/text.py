"""YAML as the configuration has it: what was written twice is refused, since a parser keeps the last of two silently."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from allometry.errors import ConfigError

# Some builds of PyYAML come without the C library.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def require_single_keys(path: str | Path) -> None:
    """Refuse a configuration, in YAML or JSON, in which a key stands twice.

    Snakemake takes what is valid JSON for JSON whatever the file is called, and keeps the last of two equal keys.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    ConfigError
        A key stands twice, or the file cannot be read.
    """
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in found]
        twice.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(found)

    try:
        json.loads(Path(path).read_bytes(), object_pairs_hook=pairs)
    except (OSError, ValueError, RecursionError):
        read_yaml(path)
        return
    if twice:
        raise _twice(path, twice)


def _twice(path: str | Path, keys: list[str]) -> ConfigError:
    return ConfigError(
        "a key stands twice, and only the last would count\n    " + "\n    ".join(keys),
        where=str(path),
        expected="every key once",
        do="join the two, or remove one",
    )


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Parse a file of keys and values.

    Parameters
    ----------
    path : path
        YAML file in UTF-8.

    Returns
    -------
    dict
        Its top level.

    Raises
    ------
    ConfigError
        The file cannot be read, is no YAML, holds no mapping, or a key stands in it twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError("the file does not exist", where=str(path), do="name an existing file") from None
    except OSError as error:
        raise ConfigError(
            f"the file cannot be read: {error.strerror}", where=str(path), do="name a YAML file"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"the file is no text in UTF-8: byte {error.object[error.start]:#04x} at {error.start}",
            where=str(path),
            do="save it as UTF-8",
        ) from None
    try:
        loader = _LOADER(text)
        node = loader.get_single_node()
        twice = list(_repeated(node, "", set()))
        values = loader.construct_document(node) if node and not twice else None
    except yaml.YAMLError as error:
        raise ConfigError(f"the file is not valid YAML: {error}", where=str(path), do="correct the syntax") from None
    if twice:
        raise _twice(path, twice)
    if not isinstance(values, dict):
        raise ConfigError("the file holds no mapping", where=str(path), expected="keys with values at the top level")
    return values


def _repeated(node: Any, where: str, seen: set[int]) -> Iterator[str]:
    """Every key that stands twice in one mapping, with both lines."""
    # an anchor may be used many times, even within itself
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from _repeated(entry, where, seen)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[tuple[str, str], int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        at = f"{where}.{key.value}".lstrip(".")
        line = key.start_mark.line + 1
        if (key.tag, key.value) in lines:
            yield f"{at}: lines {lines[key.tag, key.value]} and {line}"
        lines[key.tag, key.value] = line
        yield from _repeated(value, at, seen)


def as_yaml_number(text: str) -> str | None:
    """How to write a number that YAML takes for text, as `1e5`; None where the text is no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    written = json.dumps(value)
    mantissa, e, exponent = written.partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}" if e else written
