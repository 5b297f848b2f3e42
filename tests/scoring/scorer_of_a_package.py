"""A scorer that a team keeps in a package of its own."""


def says_yes(output: str, case: dict[str, object]) -> bool:
    """True when the output says yes where yes was expected."""
    return output == case["expected"] == "yes"
