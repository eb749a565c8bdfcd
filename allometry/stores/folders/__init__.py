"""Folders of stores: where they are, and every recording in them in one table."""
