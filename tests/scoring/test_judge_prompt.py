"""What a judge reads: rubric, fence and nonce."""

import re
from typing import Any

import pytest
from jinja2 import UndefinedError

from tasks.records import Case
from tasks.scoring.judge_prompt import Message, Question, build_repair, draw_nonce, pose
from tasks.scoring.rubric import rubric_named
from tests.scoring.scored import case_of

NONCE = "0123456789abcdef0123456789abcdef"


def asked(rubric: str, case: Case, output: str, *, nonce: str = NONCE, **included: str) -> Question:
    return pose(rubric_named("r.md", {"r.md": rubric, **included}), case, output, nonce=nonce)


def build_prompt(rubric: str, case: Case, output: str) -> list[Message]:
    return asked(rubric, case, output).messages(NONCE)


def rendered(rubric: str, output: str = "an answer", expected: Any = "a label", *, input: Any = "a question") -> str:
    return build_prompt(rubric, case_of(expected, input=input), output)[1]["content"]


def test_the_output_stands_where_the_rubric_puts_it() -> None:
    text = rendered("Q: {{ input }}\nA: {{ output }}\nGold: {{ expected }}\n")
    assert text.startswith(f"Q: a question\nA: <<<{NONCE}\nan answer\n{NONCE}>>>\nGold: a label\n")


def test_the_output_follows_a_rubric_that_does_not_place_it() -> None:
    assert rendered("Is it polite?").startswith(f"Is it polite?\n\n<<<{NONCE}\nan answer\n{NONCE}>>>")


def test_the_instructions_name_the_fence_and_the_form_of_a_verdict() -> None:
    [system, user] = build_prompt("Polite?", case_of(), "yes")
    assert (system["role"], user["role"]) == ("system", "user")
    assert f"between the lines <<<{NONCE} and {NONCE}>>>" in system["content"]
    assert '{"reasoning": ' in system["content"]


@pytest.mark.parametrize(
    ("rubric", "expected", "shown"),
    [
        ("  spaces\t stay \n\n", None, "  spaces\t stay \n\n"),
        ("<b>&amp;</b> stays", None, "<b>&amp;</b> stays"),
        ("{{ expected }}", {"a": ["ü", None, True]}, '{"a": ["ü", null, true]}'),
        ("{{ expected.items }}", {"items": 3}, "3"),
        ("{{ expected }}", "{{ output }}", "{{ output }}"),
        ("{% if expected %}with{% else %}without{% endif %} label", None, "without label"),
    ],
)
def test_the_rubric_is_shown_as_it_is_written(rubric: str, expected: Any, shown: str) -> None:
    assert rendered(rubric, expected=expected).startswith(shown)


def test_the_output_is_no_template() -> None:
    assert "\n{{ expected }}{% raw %}{opening}\n" in rendered("{{ output }}", "{{ expected }}{% raw %}{opening}")


@pytest.mark.parametrize("rubric", ["{{ ''.__class__.__mro__ }}", "{{ input.__class__.__base__.__subclasses__() }}"])
def test_a_rubric_cannot_leave_its_sandbox(rubric: str) -> None:
    with pytest.raises(Exception, match=r"unsafe|undefined|has no attribute"):
        rendered(rubric)


def test_a_field_that_the_label_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendered("{{ expected.answer }}", expected={})


def test_the_prompt_can_be_sent_whatever_the_output_holds() -> None:
    text = rendered("{{ output }} {{ input }}", "\ud800 a\x00b \udfff", input="\udc00")
    assert text.encode()
    assert "� a�b �" in text
    assert "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") in rendered("{{ output }}", "\ud83d\ude00")


def test_a_nonce_is_the_same_for_the_same_question_and_the_same_secret_alone() -> None:
    drawn = draw_nonce(b"secret", case_of(), "rubric", "output")
    assert re.fullmatch("[0-9a-f]{32}", drawn)
    assert drawn == draw_nonce(b"secret", case_of(), "rubric", "output")
    others = [
        draw_nonce(b"another", case_of(), "rubric", "output"),
        draw_nonce(b"secret", case_of("label"), "rubric", "output"),
        draw_nonce(b"secret", case_of(), "rubric", "output."),
        draw_nonce(b"secret", case_of(), "rubricoutput"),
    ]
    assert len({drawn, *others}) == 5


def test_a_nonce_that_a_text_holds_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can make this happen, so the test makes the first two draws known."""
    draws = iter(["11" * 32, "22" * 32, "33" * 32])
    monkeypatch.setattr("hmac.digest", lambda *_: bytes.fromhex(next(draws)))
    case = case_of("2" * 32)
    assert draw_nonce(b"", case, "x" + "1" * 40) == "3" * 32


def test_the_key_of_a_question_does_not_depend_on_the_nonce() -> None:
    keys = {asked("{{ input }} {{ output }}", case_of(), "yes", nonce=nonce).key for nonce in (NONCE, "f" * 32)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("rubric", "output", "label"),
    [
        ("Right? {{ expected }}", "yes", "gold"),
        ("Right? {{ output }} {{ expected }}", "no", "gold"),
        ("Right? {{ output }} {{ expected }}", "yes", "silver"),
        ("Right? {{ output }}{{ output }} {{ expected }}", "yes", "gold"),
        ("Right? {{ output }}", "yes", "gold"),
    ],
)
def test_the_key_of_a_question_depends_on_all_that_is_asked(rubric: str, output: str, label: str) -> None:
    first = asked("Right? {{ output }} {{ expected }}", case_of("gold"), "yes")
    assert asked(rubric, case_of(label), output).key != first.key


def test_what_a_rubric_does_not_show_does_not_change_the_key() -> None:
    assert asked("Polite?", case_of("a"), "yes").key == asked("Polite?", case_of("b"), "yes").key


def test_an_included_text_is_part_of_the_rubric() -> None:
    rubric = "By the book: {% include 'book.md' %} Right?"
    old, new = [asked(rubric, case_of("gold"), "yes", **{"book.md": f"{n} {{{{ expected }}}}.\n"}) for n in (1, 2)]
    assert old.key != new.key
    assert old.messages(NONCE)[1]["content"].startswith(f"By the book: 1 gold.\n Right?\n\n<<<{NONCE}\nyes\n")


def test_an_included_text_may_place_the_output_which_stays_fenced() -> None:
    included = {"answer.md": "Answer: {{ output }}"}
    question = asked("{% include 'answer.md' %} Right?", case_of(), "{% include 'answer.md' %}", **included)
    assert question.messages(NONCE)[1]["content"].startswith(
        f"Answer: <<<{NONCE}\n{{% include 'answer.md' %}}\n{NONCE}>>> Right?"
    )


def test_a_repair_quotes_the_reply_behind_its_own_fence() -> None:
    first = build_prompt("Polite?", case_of(), "yes")
    other = "f" * 32
    *before, repair = build_repair(first, "{pass}\x00", "verdict: Field required", nonce=other)
    assert before == first
    assert "verdict: Field required" in repair["content"]
    assert f"<<<{other}\n{{pass}}�\n{other}>>>" in repair["content"]
