"""Meta-learned registration of 2D medical images, adapted in a few epochs to the user's own pairs."""

import os as _os

__version__ = "0.1.0"

# PyTorch's threads spin while they wait for a core, which on a busy machine takes several times as long. The library that
# makes them reads this when it is loaded, so it must stand here; whoever has set it keeps what he set.
_os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
