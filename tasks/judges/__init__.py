"""How far a judge can be trusted: its agreement with people, and pass rates corrected for its errors."""
