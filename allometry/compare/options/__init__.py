"""Options of the kinds of comparison: one module per kind, named as the kind, that imports nothing that computes.

The configuration, its schema and documentation, and the function of the kind take them from here.
"""
