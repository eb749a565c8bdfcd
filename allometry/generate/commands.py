"""The documentation page of the `allometry` command, from its parser."""

import argparse
import importlib
from collections.abc import Iterable

HEADER = """\
# The command line

Generated from `allometry/cli.py` by `python -m allometry.generate`. `allometry` is in `.venv/bin`, beside `python`; `allometry COMMAND
--help` prints what stands here. The exit status is 0 where all went well, 1 for problems, differences and errors, 2 for words that
are no command, 130 after Ctrl-C.

| command | what it does |
|---|---|
{commands}
"""


def documentation() -> str:
    """One section per command, with a table of what it takes."""
    # by name: the command stands above all rooms
    parser: argparse.ArgumentParser = importlib.import_module("allometry.cli").parser()
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    named = {action.dest: action.help or "" for action in commands._choices_actions}
    listed = "\n".join(f"| [`{name}`](#{name}) | {help} |" for name, help in named.items())
    sections = [_section(name, named[name], command) for name, command in commands.choices.items()]
    return "\n".join([HEADER.replace("{commands}", listed), *sections])


def _section(name: str, help: str, parser: argparse.ArgumentParser) -> str:
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    usage = parser.usage or " ".join(["allometry", name, *_usage(actions)])
    out = [f"## {name}", "", f"{help[:1].upper()}{help[1:]}.", "", "```text", usage, "```", ""]
    if actions:
        out += ["| argument | meaning |", "|---|---|"]
        out += ["| " + " | ".join(cell.replace("|", "\\|") for cell in _row(action)) + " |" for action in actions]
        out.append("")
    return "\n".join(out)


def _usage(actions: Iterable[argparse.Action]) -> Iterable[str]:
    """Words of the line that shows how a command is called, what has to be given first."""
    for action in sorted(actions, key=lambda action: (not action.required, bool(action.option_strings))):
        words = " ".join([*action.option_strings[-1:], *([_value(action)] if _value(action) else [])])
        if action.nargs in ("*", "+", argparse.REMAINDER) and not action.option_strings:
            words += "..."
        yield words if action.required else f"[{words}]"


def _row(action: argparse.Action) -> tuple[str, str]:
    value = _value(action)
    name = ", ".join(f"{option} {value}".rstrip() for option in action.option_strings) or value
    return f"`{name}`", action.help or ""


def _value(action: argparse.Action) -> str:
    """What is written for the value of an argument; empty where it takes none."""
    if action.nargs == 0:
        return ""
    if action.metavar:
        return str(action.metavar)
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper().replace("_", "-")
