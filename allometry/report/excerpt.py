"""Long tables in few rows."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Excerpt:
    """A table that says in few rows what a long one says in many; the page has the long one as a CSV file.

    Attributes
    ----------
    shown : DataFrame
        Rows that the page shows.
    whole : DataFrame
        All rows.
    """

    shown: pd.DataFrame
    whole: pd.DataFrame

    def __len__(self) -> int:
        """Number of rows that are shown."""
        return len(self.shown)
