"""A Prefect server of our own, and what is served."""
