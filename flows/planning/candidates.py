"""The candidate of a comparison: a model as the config has it, or with another prompt, parameters or endpoint."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from flows.planning.other_params import (
    address_in_short,
    check_address,
    in_short,
    is_withheld,
    parsed_params,
    private_texts,
    short_hash,
)
from flows.requests import CompareRequest
from tasks.calls.rehearsal import problems_of_params
from tasks.config import RUN_ID, ModelConfig
from tasks.datasets.checks import unsteady_models
from tasks.datasets.other_prompt import as_in, reworded
from tasks.documents import ConfigFile
from tasks.documents.wording import shown
from tasks.errors import Problem, UsageError
from tasks.plan import Plan, RunFolder, Wording
from tasks.records import Suite

LONGEST_NAME = 100
LONGEST_BEFORE_HASH = 90


class Candidate(NamedTuple):
    """Who is asked, with which parameters over all others and which templates by suite, and against what.

    `made_from` is the model that a changed one was made from. `withheld` names what a stored plan may not hold:
    parameters, or `api_base`. `options` are those of the command that asks for it, without what is withheld.
    """

    model: ModelConfig
    against: str | None
    overrides: Mapping[str, Any] = {}
    wordings: Mapping[str, Wording] = {}
    withheld: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    made_from: str | None = None


def with_candidate(file: ConfigFile, suites: Sequence[Suite], request: CompareRequest) -> tuple[ConfigFile, Candidate]:
    """Find the candidate; one that is changed becomes a model of its own beside the one it was made from.

    Without a baseline that is named, a changed one is compared with what it was made from.
    """
    file, model = with_model(file, request.candidate)
    file = with_baseline(file, model, request.baseline)
    overrides = parsed_params(request.params)
    if not (overrides or request.prompt or request.api_base):
        return file, Candidate(model, request.baseline or model.compare_to, options=options_of(request))
    check_address(request.api_base or "")
    file = replace(file, secrets=file.secrets | private_texts(overrides, request.api_base))
    changed = changed_model(file, model, overrides, request)
    unsteady(suites, changed, overrides)
    wordings = wordings_of(file, suites, request.prompt) if request.prompt else {}
    withheld = withheld_of(overrides, request.api_base, file.secrets)
    options = options_of(request, withheld)
    against = request.baseline or model.name
    found = Candidate(changed, against, overrides, wordings, withheld, options, model.name)
    return added(file, model, changed, withheld), found


def withheld_of(overrides: Mapping[str, Any], address: str | None, secrets: frozenset[str]) -> tuple[str, ...]:
    """The names of what a stored plan may not hold."""
    asked = {**overrides, **({"api_base": address} if address else {})}
    return tuple(name for name, value in asked.items() if is_withheld(name, value, secrets))


def options_of(request: CompareRequest, withheld: Container[str] = ()) -> tuple[str, ...]:
    """The options that ask for a candidate, as they were typed, with dots for what is withheld."""
    options = ["--candidate", request.candidate, *(["--prompt", request.prompt] if request.prompt else [])]
    for text in request.params:
        name = text.partition("=")[0]
        options += ["--param", f"{name}=…" if name in withheld else text]
    if request.api_base:
        options += ["--api-base", "…" if "api_base" in withheld else request.api_base]
    return tuple(options)


def with_model(file: ConfigFile, candidate: str) -> tuple[ConfigFile, ModelConfig]:
    """Find a model in the config, or take a litellm id as a model of its own."""
    known = file.config.model_named(candidate)
    if known:
        return file, known
    if "/" not in candidate:
        raise unknown_model(candidate, file.config.models)
    added = valid({"name": candidate, "model": candidate, "params": {"temperature": 0}})
    config = file.config.model_copy(update={"models": [*file.config.models, added]})
    raw = {**file.raw, "models": [*file.raw["models"], added.model_dump(exclude_unset=True)]}
    return replace(file, config=config, raw=raw), added


def with_baseline(file: ConfigFile, candidate: ModelConfig, baseline: str | None) -> ConfigFile:
    """The config with a baseline that is a litellm id: asked as the candidate is, where the same provider has it."""
    if not baseline or RUN_ID.fullmatch(baseline) or file.config.model_named(baseline):
        return file
    provider = candidate.model.partition("/")[0]
    if candidate.is_rehearsal or not baseline.startswith(f"{provider}/"):
        return with_model(file, baseline)[0]
    like = valid(candidate.model_dump() | {"name": baseline, "model": baseline, "compare_to": None})
    return added(file, candidate, like)


def changed_model(
    file: ConfigFile, model: ModelConfig, overrides: Mapping[str, Any], request: CompareRequest
) -> ModelConfig:
    """A model with other parameters or another endpoint, named after what is changed; raises UsageError."""
    changes = [in_short(name, value, file.secrets) for name, value in overrides.items()]
    changes += [redacted(shown(Path(request.prompt)), file.secrets)] if request.prompt else []
    changes += [address_in_short(request.api_base, file.secrets)] if request.api_base else []
    name = own_name(f"{model.name} with {' '.join(changes)}", {other.name for other in file.config.models})
    params = {name: value for name, value in {**model.params, **overrides}.items() if value is not None}
    base = None if request.api_base == "default" else request.api_base or model.api_base
    changed = valid(model.model_dump() | {"name": name, "params": params, "api_base": base, "compare_to": None})
    if problems := list(problems_of_params(params) if changed.is_rehearsal else ()):
        raise UsageError(Problem("--param", problem) for problem in problems)
    return changed


def without_secrets(request: CompareRequest, secrets: frozenset[str]) -> CompareRequest:
    """The request as Prefect may store it, once a comparison is prepared from the whole one."""
    params = tuple(in_short(name, value, secrets) for name, value in parsed_params(request.params).items())
    address = request.api_base and address_in_short(request.api_base, secrets)
    return request.model_copy(update={"params": params, "api_base": address})


def valid(fields: Mapping[str, Any]) -> ModelConfig:
    """A model by the rules of the config; raises UsageError."""
    try:
        return ModelConfig.model_validate(fields)
    except ValidationError as error:
        wrong = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
        raise UsageError(Problem("compare", f"{where}: {message}") for where, message in wrong) from error


def redacted(text: str, secrets: Iterable[str]) -> str:
    """A text without the secrets in it."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def own_name(wanted: str, taken: Container[str]) -> str:
    """A name that the config allows and no other model has: a hash ends one that is too long or taken."""
    visible = "".join(character if character.isprintable() else " " for character in wanted)
    name = " ".join(visible.replace("\\", "/").replace("${", "{").split())
    if len(name) <= LONGEST_NAME and name not in taken:
        return name
    others = (f"{name[:LONGEST_BEFORE_HASH].rstrip()} {short_hash(f'{n} {wanted}')}" for n in count())
    return next(other for other in others if other not in taken)


def added(file: ConfigFile, model: ModelConfig, changed: ModelConfig, withheld: Container[str] = ()) -> ConfigFile:
    """The config with a changed model, also as it was written, without what is withheld: `${VAR}` stays what it is."""
    written = file.raw["models"][file.config.models.index(model)]
    left = {name: value for name, value in written.items() if name not in {"compare_to", "api_base"}}
    base = changed.api_base if changed.api_base != model.api_base else written.get("api_base")
    left |= {"model": changed.model} if changed.model != model.model else {}
    new = {name: value for name, value in new_params(model, changed).items() if name not in withheld}
    entry = left | {"name": changed.name, "params": {**written.get("params", {}), **new}}
    entry = {**entry, **({"api_base": base} if base and "api_base" not in withheld else {})}
    config = file.config.model_copy(update={"models": [*file.config.models, changed]})
    return replace(file, config=config, raw={**file.raw, "models": [*file.raw["models"], entry]})


def new_params(model: ModelConfig, changed: ModelConfig) -> dict[str, Any]:
    """The parameters that are not the model's."""
    return {name: value for name, value in changed.params.items() if model.params.get(name) != value}


def unsteady(suites: Sequence[Suite], model: ModelConfig, overrides: Mapping[str, Any]) -> None:
    """Raise UsageError where answers feed downstream logic and the candidate's would vary."""
    for suite in suites:
        config = suite.config.model_copy(update={"params": {**suite.config.params, **overrides}, "models": None})
        for _, temperature in unsteady_models(config, [model]):
            message = f"{suite.name} feeds downstream logic: expected temperature 0, got {temperature!r}"
            raise UsageError.single(message, where="--param", hint="leave the suite out with --suite")


def wordings_of(file: ConfigFile, suites: Sequence[Suite], prompt: str) -> dict[str, Wording]:
    """The templates that take the place of each suite's: those of a file, or those of a stored run."""
    if not RUN_ID.fullmatch(prompt):
        return {suite.name: reworded(suite, Path(prompt)) for suite in suites}
    try:
        plan = Plan.from_json(RunFolder(file.results, prompt).plan.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError.single(f"expected a file or a stored run, got {prompt!r}", where="--prompt") from error
    then = {suite.name: suite for suite in plan.suites}
    if missing := [suite.name for suite in suites if suite.name not in then]:
        raise UsageError.single(f"{prompt} holds no prompt of {', '.join(missing)}", where="--prompt")
    return {suite.name: as_in(then[suite.name]) for suite in suites}


def unknown_model(name: str, models: Sequence[ModelConfig]) -> UsageError:
    """Say which models there are."""
    known = [model.name for model in models]
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"the config has {', '.join(known)}"
    return UsageError.single(f"expected a model of the config, got {name!r}", hint=hint)
