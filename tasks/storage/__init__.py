"""Keep results: Parquet parts and the DuckDB warehouse."""
