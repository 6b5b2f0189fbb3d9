"""Use cases: typed options in, progress events out. No argparse, no Qt, no Slicer."""
