"""The stages put together for one process: asked, scored, journaled."""
