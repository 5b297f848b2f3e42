"""A simulation of many nights through the rule itself: how often it errs, what it finds and what it costs."""
