"""Ask models."""
