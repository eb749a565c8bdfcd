"""The nearest valid name to one that is misspelt."""

import difflib
from collections.abc import Iterable


def nearest(name: str, valid: Iterable[str], n: int = 1, cutoff: float = 0.5) -> list[str]:
    """The valid names that resemble a name most, the nearest first.

    Parameters
    ----------
    name : str
        What was written.
    valid : iterable of str
        What could have been.
    n : int
        Most names.
    cutoff : float
        Least likeness, from 0 (anything) to 1 (the same).
    """
    return difflib.get_close_matches(name, list(valid), n=n, cutoff=cutoff)


def hint(name: str, valid: Iterable[str], otherwise: str = "correct the name") -> str:
    """What to do about a name that is not valid: `perhaps 'cka' is meant`.

    Parameters
    ----------
    name : str
        What was written.
    valid : iterable of str
        What could have been.
    otherwise : str
        What to do where none of several resembles it.

    Returns
    -------
    str
        For the `do` of an error.
    """
    known = list(valid)
    near = known if len(known) == 1 else nearest(name, known)
    return f"perhaps {near[0]!r} is meant" if near else otherwise
