"""Which recording sessions public archives have: found by number or by a query, and fixed in a lock file.

An archive answers a query with other sessions another day. So it is asked once, by a command of its own, and what it
answered stands in a file that the workflow reads: `lock`. `brain_map` asks the Allen Institute, `dandi` the DANDI archive.
"""
