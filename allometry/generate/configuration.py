"""What is generated from the configuration models: JSON schema, file of defaults, documentation table."""

import json
import textwrap
import types
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from allometry.config import config_model
from allometry.config.base import models_in
from allometry.settings import Model

WIDTH = 116


def schema() -> str:
    """JSON schema of the whole configuration; models without their list of parameters, as every key has its description."""
    made = config_model().model_json_schema()
    for model in (made, *made["$defs"].values()):
        if "description" in model:
            model["description"] = model["description"].partition("\n\nParameters\n")[0]
    return json.dumps(made, indent=2, sort_keys=True) + "\n"


def default_file() -> str:
    """YAML file with every key, its default and its description."""
    header = (
        "# Every configuration key with its default. Generated from allometry/config by `python -m allometry.generate`:\n"
        "# do not edit; copy what you need into a file of your own (see config.yaml) and pass it with --configfile.\n"
    )
    return header + "\n" + "\n".join(_default_lines(config_model(), 0)) + "\n"


def _default_lines(model: type[Model], depth: int) -> list[str]:
    indent = "  " * depth
    lines: list[str] = []
    for name, field in model.model_fields.items():
        lines += [f"{indent}# {part}" for part in textwrap.wrap(field.description or "", WIDTH - len(indent))]
        inner = _model(field.annotation)
        if inner is not None and not field.is_required():
            lines.append(f"{indent}{name}:")
            lines += _default_lines(inner, depth + 1)
        else:
            lines.append(f"{indent}{name}: {_yaml(_default(field))}")
        if depth == 0:
            lines.append("")
    return lines


def documentation() -> str:
    """Page of the documentation: one table per part of the configuration."""
    out = [
        "# Configuration",
        "",
        "Generated from `allometry/config` by `python -m allometry.generate`; a test fails when this page is out of step.",
        "Unknown keys are refused with the nearest valid name.",
    ]
    whole = config_model()
    seen: set[type[Model]] = set()
    pending: list[tuple[str, type[Model]]] = [("(top level)", whole)]
    while pending:
        title, model = pending.pop(0)
        if model in seen:
            continue
        seen.add(model)
        out += ["", f"## `{title}`", "", (model.__doc__ or "").strip().split("\n")[0], ""]
        out += ["| key | type | default | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else f"`{_yaml(_default(field))}`"
            if _model(field.annotation) is not None:
                default = "see below"
            cells = [f"`{name}`", _type(field.annotation), default, field.description or ""]
            out.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
            prefix = name if model is whole else f"{title}.{name}"
            pending += [
                (prefix + ("" if inner is field.annotation else f".<{_label(inner)}>"), inner)
                for inner in models_in(field.annotation)
            ]
    return "\n".join(out) + "\n"


def _label(model: type[Model]) -> str:
    kind = model.model_fields.get("kind")
    values = get_args(kind.annotation) if kind else ()
    return f"{values[0]}" if len(values) == 1 else "name"


def _default(field: FieldInfo) -> Any:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True)
    return value.model_dump() if isinstance(value, Model) else value


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("...\n").strip()


def _model(annotation: Any) -> type[Model] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Model) else None


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return "null"
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(argument) for argument in arguments))
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"mapping of {_type(arguments[0])} to {_type(arguments[1])}"
    if arguments:  # Annotated[...]
        return _type(arguments[0])
    return getattr(annotation, "__name__", str(annotation))
