"""What workers need, imported before their first job: the libraries that fit.

Only the fork server, once for all local workers, and the workers of a cluster that is started here
import this room, for it changes the process that does.
"""

import gc
from importlib import import_module

from bmastore.workers.local import one_thread

one_thread()
for room in ("scipy.special", "bmastore.training.delivery", "bmastore.models.fit"):
    import_module(room)

from bmastore.models.members.registry import REGISTRY  # noqa: E402  after the threads are set

for library in {learner.library for learner in REGISTRY.values()} - {None}:
    import_module(str(library))

# What is imported stays. Each worker would go through it again in every collection, which takes
# a twentieth of the time of a fit, and copy the pages that it shares with the others.
gc.freeze()
