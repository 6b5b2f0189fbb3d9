"""What only angiograms have: vessels."""
