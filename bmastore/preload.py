"""What the fork server imports: the libraries that fit, once for all workers.

Only the fork server imports this room, for it changes the process that does.
"""

import gc

import bmastore.fit  # noqa: F401

# What is imported stays. Each worker would go through it again in every collection, which takes
# a twentieth of the time of a fit, and copy the pages that it shares with the others.
gc.freeze()
