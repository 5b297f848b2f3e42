"""Draw pages and charts from the warehouse."""
