"""Virtual recordings: what an experiment would have seen of a simulation, in the schema of recordings.

`imaging` has the indicator and the microscope, `sorting` the electrodes and the sorter, `reference` takes numbers from a
recording, `experiment` makes the store of a configured one.
"""
