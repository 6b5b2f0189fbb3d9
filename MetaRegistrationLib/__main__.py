"""`python -m MetaRegistrationLib ...` is the command `meta-registration ...`."""

import sys

from MetaRegistrationLib.commands import main

if __name__ == "__main__":
    sys.exit(main())
