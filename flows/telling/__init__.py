"""What is told of a run: pages, alerts."""
