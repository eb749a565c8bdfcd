"""File formats: what several readers, or the generic one, open and decode."""
