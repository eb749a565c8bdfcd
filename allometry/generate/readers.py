"""The documentation page of the readers: what each reads, and its options."""

import inspect
from typing import Any

from allometry.homogenize.options import Option, Options
from allometry.homogenize.readers import READERS
from allometry.homogenize.traces import activity

HEADER = """\
# Readers

Generated from `allometry/homogenize/readers/` by `python -m allometry.generate`. Options stand under `options` of a data set or of
one of its stores, or under `homogenize.options.STORE`; what a reader does not have, or does not accept, is refused in the dry
run. A data set with placeholders in its file names (`{session}`) has options that fill them; these are no reader's.

## What is read

`allometry inspect FILE` looks for all of them. A folder is one file of the data set where the last column says so.

{readers}
## Every reader of recordings

Those that are marked may also be set for all recordings at once, under `homogenize.recordings`.

"""


def documentation() -> str:
    """Tables of the options of all readers."""
    own = []
    for name, reader in READERS.items():
        options = {key: option for key, option in reader.options.items() if activity.OPTIONS.get(key) is not option}
        recordings = set(activity.OPTIONS) <= set(reader.options)
        text = f"## {name}\n\n{' or '.join(reader.kinds)}"
        text += "; the options of every reader of recordings" * recordings
        text += (
            (", and\n\n" if recordings else "\n\n") + _table(options)
            if options
            else ""
            if recordings
            else "; no options"
        )
        own.append(text.rstrip() + "\n")
    return HEADER.replace("{readers}", _readers()) + _table(activity.OPTIONS, shared=True) + "\n" + "\n".join(own)


def _readers() -> str:
    """What each reader reads, by the first line of its module, and what it makes."""
    rows = [["reader", "what it reads", "stores", "folders"], ["---"] * 4]
    for name, reader in READERS.items():
        module = inspect.getmodule(reader.read)
        what = (inspect.getdoc(module) or "").partition("\n")[0].rstrip(".")
        rows.append([f"[{name}](#{name})", what, ", ".join(reader.kinds), "yes" if reader.folders else ""])
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def _table(options: Options, shared: bool = False) -> str:
    head = ["option", "default", "values", "what", *(["for all"] * shared)]
    rows = [head, ["---"] * len(head)]
    for key, option in options.items():
        row = [f"`{key}`", _default(option), option.accepts, option.what]
        rows.append(row + ["yes" if option.shared else ""] * shared)
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def _default(option: Option) -> str:
    if option.required:
        return "required"
    value: Any = option.default
    if value in (None, ()):
        return "null" if value is None else "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
