"""How far judges are believed, and what people said."""
