"""The workflow as a whole: what the Snakefile asks of the package, and what is done with results once they are there."""
