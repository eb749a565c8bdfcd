"""Base of everything that a configuration sets."""

from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class Model(BaseModel):
    """A part of the configuration: unknown keys are refused, and values do not change once validated.

    No list may hold an entry twice: each stands for a job, a store or a row of its own, which would be one and the same.
    Types are strict: YAML tells numbers from text and from true and false, and a mix-up of them is a mistake.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), strict=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            lists = {name: value}
            # what an option of a reader means is the reader's affair
            if isinstance(value, dict) and Any not in get_args(field.annotation):
                lists = {f"{name}.{key}": entry for key, entry in value.items()}
            for key, entries in lists.items():
                if not isinstance(entries, list):
                    continue
                if repeated := [entry for place, entry in enumerate(entries) if entry in entries[:place]]:
                    listed = ", ".join(dict.fromkeys(map(str, repeated)))
                    raise ValueError(f"{key} lists {listed} more than once; remove the repeats")
        return self
