"""`python`: a function that the suite brings."""

import hashlib
import importlib
import inspect
import math
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from types import ModuleType

from tasks.config import PythonScorer
from tasks.documents.wording import shown
from tasks.errors import UsageError
from tasks.records import Case, Finding
from tasks.scoring.findings import Rule, excerpt, failed, one_line, passed, unscored
from tasks.scoring.templates import variables_of

ScoreFunction = Callable[[str, dict[str, object]], object]

EXPECTED = 'a bool or {"passed": bool, "value": float, "reason": str}'


def python(config: PythonScorer, files: Mapping[str, str], folder: Path) -> Rule:
    """Call `score(output: str, case: dict)` and take its word.

    `case` is a copy that holds id, input, expected, kind, tags and group. The function returns a bool or
    {"passed": bool or None, "value": float, "reason": str}, of which `passed` alone must be there; None means that it
    cannot say. Whatever else it returns, and an exception, leave the case unscored with what came.

    `call` names a file of the suite (`score.py:score`), which is run as a module of its own and cannot import its
    neighbours, or an import path (`acme.scorers:score`). The function is called in the event loop of the run: one
    that blocks or waits for something holds up every call that is under way.
    """
    function = load_function(config.call, files, folder)

    def score(text: str, case: Case) -> Finding:
        return finding_of(function(text, deepcopy(variables_of(case))))

    return score


def finding_of(returned: object) -> Finding:
    """What a function's return value says."""
    if isinstance(returned, bool):
        return passed() if returned else failed("the function returned False")
    if not isinstance(returned, dict) or not is_well_formed(returned):
        return unscored(f"the function returned {excerpt(returned)}, expected {EXPECTED}")
    ok = returned["passed"]
    value = returned.get("value")
    reason = one_line(returned.get("reason") or "")
    return Finding(ok, reason, float(value) if value is not None else None if ok is None else float(ok))


def is_well_formed(returned: dict[object, object]) -> bool:
    """True for a dict of the documented form."""
    value, reason = returned.get("value"), returned.get("reason")
    return (
        returned.keys() <= {"passed", "value", "reason"}
        and isinstance(returned.get("passed", ""), bool | None)
        and (value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)))
        and (reason is None or isinstance(reason, str))
    )


def load_function(call: str, files: Mapping[str, str], folder: Path) -> ScoreFunction:
    """The function that `call` names; raises UsageError with what is wrong with it."""
    source, _, name = call.rpartition(":")
    try:
        module = module_of_file(source, files, folder) if source.endswith(".py") else importlib.import_module(source)
    except (UsageError, KeyboardInterrupt, TimeoutError):
        raise
    except BaseException as error:
        raise UsageError.single(one_line(f"call: {source} cannot be imported: {reason_of(error)}")) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError.single(f"call: {source} has no function {name!r}")
    refuse_wrong_signature(name, function)
    return function  # type: ignore[no-any-return]


def module_of_file(path: str, files: Mapping[str, str], folder: Path) -> ModuleType:
    """Run a file of the suite as a module that shadows no other; raises whatever it raises."""
    if path not in files:
        raise UsageError.single(f"call: {path!r} does not exist in {shown(folder)}")
    name = "daybreak_scorer_" + hashlib.sha256(f"{folder}\0{path}".encode()).hexdigest()[:16]
    module = ModuleType(name)
    module.__file__ = str(folder / path)
    sys.modules[name] = module  # dataclasses look up a class's module by its name
    try:
        exec(compile(files[path], module.__file__, "exec"), module.__dict__)  # noqa: S102 (the suite's own code)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def refuse_wrong_signature(name: str, function: Callable[..., object]) -> None:
    """Raise UsageError unless the function can be called with an output and a case and returns at once."""
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise UsageError.single(f"call: {name} is async or a generator; expected a plain function")
    try:
        signature = inspect.signature(function)
    except ValueError:
        return  # some functions written in C do not tell
    try:
        signature.bind("", {})
    except TypeError:
        expected = f"expected {name}(output, case)"
        raise UsageError.single(f"call: {name}{signature} has the wrong parameters; {expected}") from None


def reason_of(error: BaseException) -> str:
    """An error with its type, and its line where the file could not even be compiled."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {error}"
