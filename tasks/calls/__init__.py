"""Ask models: one call with its retries and its record, prices, and simulated models."""
