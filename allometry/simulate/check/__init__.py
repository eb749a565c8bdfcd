"""Refusal of what is impossible, before anything is built."""
