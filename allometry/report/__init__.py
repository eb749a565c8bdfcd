"""The report: figures of what a run of the workflow made, and one self-contained page that shows them."""
