"""Score outputs."""
