"""Compare: data with data, model with data, connectome with function.

One module per family of measures (pure functions on arrays), `registry` with what each measure means, `statistics` with
what makes a number trustworthy, and modules named after a subject (`worm`, `human`, `propagation`) that read stores and
write a `Scores` store. Family modules are imported by whoever needs them, never here, so that editing one measure
reruns only the comparisons that use it.
"""
