"""Real servers that play what the product talks to."""
