"""Options of readers: what each accepts, its default and what it does, stated once and checked before anything is retrieved."""

import codecs
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from allometry.errors import ReaderError
from allometry.hints import hint


@dataclass(frozen=True)
class Option:
    """One option of a reader.

    Parameters
    ----------
    default : Any
        Value where none is given.
    accepts : str
        What values are allowed, in words: for messages and for the generated table.
    fits : callable
        `fits(value)`: whether a value is allowed.
    what : str
        What the option does, with its unit.
    required : bool
        Whether a value has to be given.
    shared : bool
        Whether it is also set for all recordings at once, under `homogenize.recordings`.
    """

    default: Any
    accepts: str
    fits: Callable[[Any], bool]
    what: str
    required: bool = False
    shared: bool = False

    def for_all(self) -> "Option":
        """The same option, that may also be set for all recordings at once."""
        return replace(self, shared=True)


Options = Mapping[str, Option]


def choice(default: Any, values: tuple[Any, ...], what: str) -> Option:
    """An option that is one of some values; None is written null."""
    shown = ", ".join("null" if value is None else str(value) for value in values)
    return Option(default, f"one of {shown}", lambda value: isinstance(value, str | None) and value in values, what)


def flag(default: bool, what: str) -> Option:
    """An option that is true or false."""
    return Option(default, "true or false", lambda value: isinstance(value, bool), what)


def text(default: str | None, what: str, *, null: bool = False, digits: bool = False, required: bool = False) -> Option:
    """An option that is text.

    Parameters
    ----------
    default : str or None
        Default; None allows null.
    what : str
        What it does.
    null : bool
        Whether null is allowed though the default is text.
    digits : bool
        Whether a whole number is taken for text, as YAML reads an id or the number of a column.
    required : bool
        Whether it has to be given.
    """
    empty = null or (default is None and not required)

    def fits(value: Any) -> bool:
        number = digits and isinstance(value, int) and not isinstance(value, bool)
        return number or (isinstance(value, str) and bool(value)) or (empty and value is None)

    accepts = "text" + " or a whole number" * digits + ", or null" * empty
    return Option(default, accepts, fits, what, required=required)


def quantity(
    default: float | None, what: str, *, above: float = -math.inf, most: float = math.inf, null: bool = False
) -> Option:
    """An option that is a finite number.

    Parameters
    ----------
    default : float or None
        Default; None allows null.
    what : str
        What it does, with its unit.
    above, most : float
        The number is above `above`, and at most `most`.
    null : bool
        Whether null is allowed though the default is a number.
    """
    empty = null or default is None

    def fits(value: Any) -> bool:
        if value is None:
            return empty
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(float(value)):
            return False
        return above < float(value) <= most

    accepts = "a positive number" if above == 0 else "a number"
    accepts += f" above {above:g}" * (above not in (0, -math.inf)) + f" of at most {most:g}" * (most < math.inf)
    return Option(default, accepts + ", or null" * empty, fits, what)


def listed(default: Any, what: str) -> Option:
    """An option that is one name or a list of names, or null."""

    def fits(value: Any) -> bool:
        wanted = [value] if isinstance(value, str) else value
        return value is None or (
            isinstance(wanted, list | tuple | set) and all(isinstance(name, str | int) for name in wanted)
        )

    return Option(default, "a name or a list of names, or null", fits, what)


def span(what: str) -> Option:
    """An option that is [start, stop, step] in s, or null."""

    def fits(value: Any) -> bool:
        if value is None:
            return True
        if not isinstance(value, list | tuple) or len(value) != 3:
            return False
        if any(isinstance(n, bool) or not isinstance(n, Real) or not math.isfinite(n) for n in value):
            return False
        start, stop, step = value
        return bool(stop > start and step > 0)

    return Option(None, "[start, stop, step] with stop after start and a positive step, or null", fits, what)


def mapping(what: str) -> Option:
    """An option that is a mapping of names to text, or null."""

    def fits(value: Any) -> bool:
        return value is None or (isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values()))

    return Option(None, "a mapping of names to text, or null", fits, what)


def number_of_each(what: str) -> Option:
    """An option that is a mapping of names to finite numbers, or null."""

    def fits(value: Any) -> bool:
        return value is None or (isinstance(value, Mapping) and all(_is_finite(number) for number in value.values()))

    return Option(None, "a mapping of names to numbers, or null", fits, what)


def values_of_each(what: str) -> Option:
    """An option that is a mapping of names to one text or a list of texts, or null."""

    def fits(value: Any) -> bool:
        if value is None:
            return True
        listed = (
            [[v] if isinstance(v, str | int) else v for v in value.values()] if isinstance(value, Mapping) else [None]
        )
        return all(isinstance(v, list | tuple) and all(isinstance(item, str | int) for item in v) for v in listed)

    return Option(None, "a mapping of names to a text or a list of texts, or null", fits, what)


def three_numbers(what: str) -> Option:
    """An option that is three positive numbers, one per axis, or null."""

    def fits(value: Any) -> bool:
        three = isinstance(value, list | tuple) and len(value) == 3
        return value is None or (three and all(_is_finite(number) and number > 0 for number in value))

    return Option(None, "three positive numbers, or null", fits, what)


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(float(value))


def text_encoding(what: str) -> Option:
    """An option that is the encoding of a text, or null."""

    def fits(value: Any) -> bool:
        try:
            return value is None or (isinstance(value, str) and codecs.lookup(value)._is_text_encoding)
        except LookupError:
            return False

    return Option(None, "an encoding that Python knows, or null", fits, what)


def check(options: Options, given: Mapping[str, Any], where: str, reader: str = "") -> None:
    """Refuse options that are unknown, or whose value is none that they accept.

    Parameters
    ----------
    options : mapping of str to Option
        What there is.
    given : mapping of str to Any
        What is asked for.
    where : str
        Where it stands, for the message; the name of the option is added.
    reader : str
        Name of the reader, for the message.

    Raises
    ------
    ReaderError
        The first wrong one, with the nearest name.
    """
    of = f" of the reader {reader}" if reader else ""
    for key, value in given.items():
        at = f"{where}.{key}" if where else str(key)
        if key not in options:
            raise ReaderError(
                f"unknown option {key!r}{of}",
                where=at,
                expected=f"one of {', '.join(sorted(options))}" if options else "no options: the reader has none",
                do=hint(str(key), options, "remove it"),
            )
        if not options[key].fits(value):
            raise ReaderError(
                f"option {key}{of}: {value!r} is not known",
                where=at,
                expected=options[key].accepts,
                do=f"correct {key!r}: {options[key].what}",
            )


def complete(options: Options, given: Mapping[str, Any], where: str, reader: str = "") -> dict[str, Any]:
    """Every option with its value: the one given, else its default.

    Parameters
    ----------
    options : mapping of str to Option
        What there is.
    given : mapping of str to Any
        What is asked for.
    where : str
        Where it stands, for the message.
    reader : str
        Name of the reader, for the message.

    Raises
    ------
    ReaderError
        An unknown option, a value that does not fit, or a required option that is missing.
    """
    check(options, given, where, reader)
    for key, option in options.items():
        if option.required and key not in given:
            raise ReaderError(f"option {key} is missing", where=where, expected=option.accepts, do=option.what)
    return {key: given.get(key, option.default) for key, option in options.items()}
