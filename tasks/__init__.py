"""One package per stage, in the order in which data passes."""
