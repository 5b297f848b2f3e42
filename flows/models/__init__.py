"""Which models moved, which go away, and what may take their place."""
