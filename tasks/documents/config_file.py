"""Read deployments/daybreak.yaml with its environment."""

import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

from tasks.config import Config, JudgeConfig, ModelConfig
from tasks.documents.files import expanded, read_text, require_file, status_of
from tasks.documents.schema import checked
from tasks.documents.wording import Trail, brief, nearest, shown
from tasks.documents.yaml_file import Document, is_storable, read_yaml
from tasks.errors import Problem, UsageError

SHORTEST_SECRET = 6
"""Shorter values would redact ordinary words."""

SECRET_NAME = re.compile(r"(_|^)(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$", re.IGNORECASE)

DEFAULT = Path("deployments/daybreak.yaml")
"""Where a config is looked for, in the working folder."""

STAND_IN = {"models": [{"name": "no sound model", "model": "none", "params": {"temperature": 0}}], "judges": []}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A config with what belongs to it.

    `root` is where its relative paths start; `results` and `datasets` are absolute. `raw` is the file before `${VAR}`
    was replaced, JSON values only: it may be stored. `env` is the environment over `.env`, and `secrets` the values of
    it that the file uses. The names are also those of models and judges that are wrong otherwise. `problems` is empty
    unless it comes from `open_config`.
    """

    config: Config
    path: Path
    root: Path
    results: Path
    datasets: Path
    raw: dict[str, Any] = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    model_names: tuple[str, ...]
    judge_names: tuple[str, ...]
    lines: Mapping[Trail, int] = field(default_factory=dict, repr=False)
    problems: tuple[Problem, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """What a command needs to find this config and these results: nothing where it looks for them by itself."""
        config = () if self.path == DEFAULT.absolute() else ("--config", shown(self.path))
        usual = (self.root / home_filled_in(self.config.results)).absolute()
        return (*config, *(() if self.results == usual else ("--results", shown(self.results))))

    def place_of(self, entry: ModelConfig) -> str:
        """Where a model or judge stands: `file:line`, or the file alone where it was not read from there."""
        section, names = (
            ("judges", self.judge_names) if isinstance(entry, JudgeConfig) else ("models", self.model_names)
        )
        return self.place(section, names.index(entry.name)) if entry.name in names else shown(self.path)

    def place(self, *trail: str | int) -> str:
        """Where a part of the file stands."""
        line = self.lines.get(trail)
        return f"{shown(self.path)}:{line}" if line else shown(self.path)


def load_config(path: Path, *, env: Mapping[str, str], results: Path | None = None) -> ConfigFile:
    """Read and check a config; raises UsageError with every mistake in it.

    `results` is relative to the working folder and overrides the config's.
    """
    file = open_config(path, env=env, results=results)
    if file.problems:
        raise UsageError(file.problems)
    return file


def open_config(path: Path, *, env: Mapping[str, str], results: Path | None = None) -> ConfigFile:
    """Read a config whose mistakes are kept as `problems`, so that suites can be checked in the same breath.

    `config` then holds what is sound. Raises UsageError when the file is no YAML mapping.
    """
    path = path.absolute()
    require_file(path)
    root = path.parent.parent if path.parent.name == "deployments" else path.parent
    env = {**read_env(root / ".env"), **env}
    document = read_yaml(path, env=env)
    config, problems = checked(document, Config, STAND_IN)
    file = ConfigFile(
        config=config,
        path=path,
        root=root,
        results=(results or root / home_filled_in(config.results)).absolute(),
        datasets=(root / home_filled_in(config.datasets)).absolute(),
        raw=document.raw,
        secrets=secrets_of(config, document, env),
        env=env,
        model_names=tuple(names_in(document.data, "models")),
        judge_names=tuple(names_in(document.data, "judges")),
        lines=document.lines,
    )
    problems += [*name_problems(document), *folder_problems(document, file, results)]
    return replace(file, problems=tuple(redacted(problem, file.secrets) for problem in sorted(problems, key=line_of)))


def read_env(path: Path) -> dict[str, str]:
    """The variables of a `.env` file, if there is one; raises UsageError for lines that set none."""
    from dotenv.parser import parse_stream

    if status_of(path) is None:
        return {}
    found: dict[str, str] = {}
    for binding in parse_stream(StringIO(read_text(path))):
        if binding.error or not is_storable(f"{binding.key}{binding.value}"):
            text = binding.original.string
            line = binding.original.line + len(text) - len(text.lstrip("\n"))
            raise UsageError.single(
                "expected NAME=value", where=f"{shown(path)}:{line}", hint="values may be in quotes"
            )
        if binding.key and binding.value is not None:
            found[binding.key] = binding.value
    return found


def home_filled_in(name: str) -> Path:
    """A path with `~` filled in, as far as that is possible; what is not is told by `no_folder`."""
    try:
        return expanded(name)
    except UsageError:
        return Path(name)


def secrets_of(config: Config, document: Document, env: Mapping[str, str]) -> frozenset[str]:
    """What nobody may see: values that came from the environment."""
    names = [model.api_key_env for model in (*config.models, *config.judges)] + [config.slack.token_env]
    values = {env[name] for name in names if name and name in env} | document.substituted
    values |= {value for name, value in env.items() if SECRET_NAME.search(name)}  # keys that litellm finds by itself
    return frozenset(value for value in values if len(value) >= SHORTEST_SECRET)


def line_of(problem: Problem) -> int:
    """The line of a problem's place, by which problems of one file are sorted."""
    line = problem.where.rpartition(":")[2]
    return int(line) if line.isdigit() else 0


def redacted(problem: Problem, secrets: frozenset[str]) -> Problem:
    """The problem without the secrets that it would show."""
    message = problem.message
    for secret in sorted(secrets, key=len, reverse=True):
        message = message.replace(secret, "***")
    return replace(problem, message=message)


def names_in(document: Mapping[str, Any], section: str) -> list[str]:
    """The names of models or judges, also of those that are wrong otherwise; a nameless one counts as ''."""
    entries = document.get(section)
    found = [entry.get("name") for entry in mappings(entries)]
    return [name if isinstance(name, str) else "" for name in found]


def mappings(entries: object) -> list[dict[str, Any]]:
    """The items of what should be a list of mappings; an empty one for whatever is none."""
    listed = entries if isinstance(entries, list) else []
    return [entry if isinstance(entry, dict) else {} for entry in listed]


def name_problems(document: Document) -> Iterator[Problem]:
    """Names that are given twice, and baselines that are no model's name or run in a circle."""
    for section in ("models", "judges"):
        names = names_in(document.data, section)
        for index, name in enumerate(names):
            if name and name in names[:index]:
                message = f"expected a name of its own, got {brief(name)} a second time"
                yield document.problem((section, index, "name"), message)
    yield from chain_problems(document, names_in(document.data, "models"))
    for index, judge in enumerate(mappings(document.data.get("judges"))):
        if judge.get("compare_to") is not None:
            yield document.problem(("judges", index, "compare_to"), "a judge has nothing to be compared with")


def chain_problems(document: Document, names: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with each `compare_to`."""
    models = mappings(document.data.get("models"))
    baselines = {name: model.get("compare_to") for name, model in zip(names, models, strict=True) if name}
    for index, name in enumerate(names):
        trail, other = ("models", index, "compare_to"), baselines.get(name)
        if not isinstance(other, str):
            continue
        if other not in baselines:
            hint = nearest(other, [known for known in baselines if known != name])
            yield document.problem(trail, f"expected another model's name, got {brief(other)}", hint)
        elif other == name:
            yield document.problem(trail, f"{brief(name)} cannot be compared with itself")
        elif name in (circle := chain_from(name, baselines))[1:]:
            yield document.problem(trail, f"runs in a circle: {' → '.join(circle)}")


def chain_from(name: str, baselines: Mapping[str, object]) -> list[str]:
    """The models that follow each other by `compare_to`, up to the first that comes again."""
    chain = [name]
    while isinstance(following := baselines.get(chain[-1]), str):
        chain.append(following)
        if following in chain[:-1]:
            break
    return chain


def folder_problems(document: Document, file: ConfigFile, results: Path | None) -> Iterator[Problem]:
    """What is wrong with `results` and `datasets`."""
    for name, written in (("results", str(results or file.config.results)), ("datasets", file.config.datasets)):
        message, hint = no_folder(written, getattr(file, name))
        if message and name == "results" and results:
            yield Problem("--results", message, hint)
        elif message:
            yield document.problem((name,), message, hint)


def no_folder(written: str, path: Path) -> tuple[str, str]:
    """Message and hint when something else than a folder is named; empty texts when all is well."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", written):
        return f"expected a folder, got {brief(written)}", "object storage comes later"
    try:
        expanded(written)
        found = status_of(path)
    except UsageError as error:
        return f"expected a folder, got {brief(written)}: {error.problems[0].message}", ""
    if found and not stat.S_ISDIR(found.st_mode):
        return f"expected a folder, got the file {shown(path)}", ""
    return "", ""
