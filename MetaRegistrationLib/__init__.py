"""Meta-learned registration of 2D medical images, adapted in a few epochs to the user's own pairs."""

import os as _os

__version__ = "0.1.0"

# PyTorch's threads spin while they wait for a core, which on a busy machine takes several times as long. The library that
# makes them reads this when it is loaded, so it must stand here; whoever has set it keeps what he set.
# Not to spin at all is no answer either: where a core that has nothing to do is slow to wake, as on virtual machines, a pair took
# 1.1 s in place of 0.5 s. A few thousand turns, some microseconds, lose a sixth alone; GNU's OpenMP alone counts them.
if "OMP_WAIT_POLICY" not in _os.environ:
    _os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    _os.environ.setdefault("GOMP_SPINCOUNT", "3000")
