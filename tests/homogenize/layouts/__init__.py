"""A second, independent set of fixtures for the layouts that the project has no genuine file of.

They were written from the descriptions of the layouts (group names, orientations, quirks) by somebody who had not read the
readers, nor the fixtures that the readers' author made. Everything in them is synthetic.
"""
