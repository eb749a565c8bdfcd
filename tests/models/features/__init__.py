"""Tests of feature models."""
