"""Scaling studies in the report: an overview of each, every statistic against size, and tables."""
