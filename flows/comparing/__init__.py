"""Stored trials in, verdicts out."""
