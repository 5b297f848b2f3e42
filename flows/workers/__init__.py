"""Several processes evaluate one run: its parent hands them shards, and they share limits, budget and kept verdicts."""
