"""The sandbox that every template of a suite is rendered in."""

from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST_REPEATED = 1_000_000
LARGEST_EXPONENT = 64


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """Templates that render a case always the same, with fields before methods and nothing that fills the memory."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        del self.filters["random"], self.globals["lipsum"]

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of an object comes before a method of Python's dict: `input.items` is the invoice's."""
        return obj[attribute] if isinstance(obj, dict) and attribute in obj else super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Multiply, unless the result would be huge: then it raises OverflowError."""
        if operator == "**" and abs(right) > LARGEST_EXPONENT:
            raise OverflowError(f"an exponent above {LARGEST_EXPONENT}")
        for repeated, times in ((left, right), (right, left)):
            if operator == "*" and hasattr(repeated, "__len__") and len(repeated) * times > LONGEST_REPEATED:
                raise OverflowError(f"a repetition of more than {LONGEST_REPEATED:,} characters or items")
        return super().call_binop(context, operator, left, right)
