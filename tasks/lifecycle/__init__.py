"""Notice version drift and retirement of models."""
