"""Compare: data with data, model with data, connectome with function.

`from allometry.compare import rdm, cka, avalanches`: `__init__.pyi` lists every public measure, and each is imported when
it is first used. Rooms: `measures` (pure functions on arrays), `inference` (intervals, tests, ceilings), `inputs` (what is
read out of stores), `kinds` (one per comparison of the workflow) and `records` (what stands beside each measure and says
what it means; `registry` finds it by name).
The modules here and in the rooms import from one another by full path, so that editing one measure reruns only the
comparisons that use it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
