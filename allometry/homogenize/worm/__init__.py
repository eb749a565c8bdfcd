"""The 302 neurons of C. elegans: names, classes, positions."""
