"""Compare a cell with its baseline and judge the difference."""
