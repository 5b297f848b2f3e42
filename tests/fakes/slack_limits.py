"""What Slack's reference says of blocks, as checks that tell what is wrong in the way in which Slack tells it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

RICH_TEXT_PARTS = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}
RICH_TEXT_LEAVES = {"text", "link", "emoji", "user", "usergroup", "channel", "broadcast", "date", "color", "team"}
PLAIN_TEXT = frozenset({"plain_text"})
ANY_TEXT = PLAIN_TEXT | {"mrkdwn"}


def problems_of(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Check blocks against Slack's documented limits."""
    if len(blocks) > 50:
        yield "no more than 50 items allowed [json-pointer:/blocks]"
    checks: dict[str, Callable[[Mapping[str, Any], str], Iterator[str]]] = {
        "header": header_problems,
        "section": section_problems,
        "context": context_problems,
        "rich_text": rich_text_problems,
        "image": image_problems,
        "divider": lambda block, at: iter(()),
    }
    for index, block in enumerate(blocks):
        at = f"/blocks/{index}"
        if block.get("type") not in checks:
            yield f"unsupported type: {block.get('type')} [json-pointer:{at}/type]"
        else:
            yield from checks[block["type"]](block, at)


def header_problems(block: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from text_problems(block.get("text"), f"{at}/text", limit=150, types=PLAIN_TEXT)


def section_problems(block: Mapping[str, Any], at: str) -> Iterator[str]:
    fields = block.get("fields", [])
    if "text" in block or not fields:
        yield from text_problems(block.get("text"), f"{at}/text", limit=3000)
    if len(fields) > 10:
        yield f"no more than 10 items allowed [json-pointer:{at}/fields]"
    for index, one in enumerate(fields):
        yield from text_problems(one, f"{at}/fields/{index}", limit=2000)


def context_problems(block: Mapping[str, Any], at: str) -> Iterator[str]:
    if not 1 <= len(block.get("elements", [])) <= 10:
        yield f"1 to 10 items allowed [json-pointer:{at}/elements]"
    for index, one in enumerate(block.get("elements", [])):
        yield from text_problems(one, f"{at}/elements/{index}", limit=3000)


def image_problems(block: Mapping[str, Any], at: str) -> Iterator[str]:
    if not 1 <= units(block.get("alt_text", "")) <= 2000:
        yield f"must be 1 to 2000 characters [json-pointer:{at}/alt_text]"
    if ("slack_file" in block) == ("image_url" in block):
        yield f"one of slack_file and image_url is required [json-pointer:{at}]"


def text_problems(text: Any, at: str, *, limit: int, types: frozenset[str] = ANY_TEXT) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in types:
        yield f"must be one of {sorted(types)} [json-pointer:{at}/type]"
    elif not isinstance(text.get("text"), str) or not 1 <= units(text["text"]) <= limit:
        yield f"must be 1 to {limit} characters [json-pointer:{at}/text]"


def rich_text_problems(block: Mapping[str, Any], at: str) -> Iterator[str]:
    if not block.get("elements"):
        yield f"missing required field: elements [json-pointer:{at}]"
    for index, part in enumerate(block.get("elements", [])):
        yield from part_problems(part, f"{at}/elements/{index}")


def part_problems(part: Mapping[str, Any], at: str) -> Iterator[str]:
    if part.get("type") not in RICH_TEXT_PARTS or not part.get("elements"):
        yield f"no rich text element, or an empty one [json-pointer:{at}]"
        return
    for index, one in enumerate(part["elements"]):
        if part["type"] == "rich_text_list":
            yield from part_problems(one, f"{at}/elements/{index}")
        elif one.get("type") not in RICH_TEXT_LEAVES:
            yield f"unsupported type: {one.get('type')} [json-pointer:{at}/elements/{index}/type]"
        elif one["type"] == "text" and not one.get("text"):
            yield f"must be more than 0 characters [json-pointer:{at}/elements/{index}/text]"
        elif one["type"] in {"user", "usergroup"} and not one.get(f"{one['type']}_id", "").isalnum():
            yield f"invalid id [json-pointer:{at}/elements/{index}]"
        elif one["type"] == "link" and not one.get("url", "").startswith(("http://", "https://", "mailto:")):
            yield f"invalid url [json-pointer:{at}/elements/{index}/url]"


def units(text: str) -> int:
    """UTF-16 code units, the strictest way in which Slack could count."""
    return len(text.encode("utf-16-le")) // 2
