"""Read one suite.yaml with the texts it names, and check it against the config and its cases."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from tasks.config import JudgeScorer, PythonScorer, ScorerConfig, SuiteConfig, spell_out
from tasks.datasets.checks import CASE_S, CaseRules, CheckCase, check_cases, unsteady_models, unused_kinds
from tasks.datasets.content import sha256
from tasks.datasets.files import Wanted, file_of, includes, read_templates, scorer_texts
from tasks.datasets.problems import Problems
from tasks.datasets.templates import VISIBLE, Fault, Renderer, assigned_in, faults_in
from tasks.documents import ConfigFile, Document, read_yaml
from tasks.documents.schema import checked
from tasks.documents.time_limit import time_limit
from tasks.documents.wording import brief, nearest, shown
from tasks.records import Suite

CheckScorer = Callable[[ScorerConfig, Mapping[str, str], Path], Iterable[str]]
"""What is wrong with a scorer, in words, given the suite's files and folder."""

STAND_IN = {"scorers": ["exact"]}
IMPORT_S = 60
"""Seconds in which a Python scorer must be loaded; some import large libraries."""


class SuiteFile:
    """A suite.yaml, as far as it is sound; mistakes go to `problems`. Raises UsageError when it is no YAML mapping."""

    def __init__(self, folder: Path, config_file: ConfigFile, problems: Problems) -> None:
        self.folder = folder
        self.config_file = config_file
        self.problems = problems
        self.document = read_yaml(folder / "suite.yaml")
        self.config, mistakes = checked(self.document, SuiteConfig, STAND_IN)
        self.places = scorer_places(self.document)
        self.scorers = [scorer for scorer in self.config.scorers if label_of(scorer) in self.places]
        problems.take(mistakes)

    def checked_suite(self, check_scorer: CheckScorer, check_case: CheckCase) -> Suite:
        """The suite; good for nothing if there were problems."""
        self.check_models()
        before = len(self.problems)
        templates = self.templates()
        renders = len(self.problems) == before
        files = scorer_texts(self.scorers, self.places, self.folder, self.problems)
        unusable = [label_of(scorer) for scorer in self.scorers if not self.is_usable(scorer, files, check_scorer)]
        suite = Suite(
            name=self.folder.name,
            folder=str(self.folder),
            config=self.config,
            files={**templates, **files},
            n_cases=0,
            kinds={},
            tags={},
            dataset_hash="",
            prompt_hash=prompt_hash(self.config, templates),
            scorers_hash=scorers_hash(self.config, files),
        )
        renderer = Renderer(suite) if renders else None
        rules = CaseRules(
            self.scorers,
            files,
            check_case,
            renderer,
            template_at=self.template_at,
            places=self.places,
            unusable=unusable,
            complete=bool(self.places) and len(self.scorers) == len(self.places),
        )
        return self.with_cases(suite, rules)

    def check_models(self) -> None:
        """The suite's models must be the config's, and steady where their answers feed downstream logic."""
        known = self.config_file.model_names
        for index, name in enumerate(self.config.models or []):
            if name not in known:
                message = f"expected a model of the config, got {brief(name)}"
                self.problems.take([self.document.problem(("models", index), message, nearest(name, known))])
        for name, temperature in unsteady_models(self.config, self.config_file.config.models):
            message = f"expected temperature 0 for {name!r}, got {brief(temperature)}"
            hint = "put params: {temperature: 0} into the suite"
            self.problems.take([self.document.problem(("feeds_logic",), message, hint)])

    def templates(self) -> dict[str, str]:
        """The prompt and all that it and the user's message include, checked as far as that needs no case."""
        user_at = self.document.where(("user",))
        named = [Wanted(self.config.prompt, self.document.where(("prompt",)), "prompt")] if self.config.prompt else []
        named += [part._replace(where=user_at, what="user") for part in includes(self.config.user, user_at)]
        texts = read_templates(named, self.folder, self.problems)
        assigned = frozenset().union(*map(assigned_in, [self.config.user, *texts.values()]))
        for name, text in texts.items():
            for fault in faults_in(text, assigned):
                self.template_problem(f"{shown(self.folder / name)}:{fault.line}", "", fault)
        for fault in faults_in(self.config.user, assigned):
            self.template_problem(user_at, "user: ", fault)
        return texts

    def template_problem(self, where: str, what: str, fault: Fault) -> None:
        """Note a mistake in a template, with the variable that was probably meant."""
        hint = nearest(fault.word, VISIBLE) if fault.word else ""
        self.problems.add(where, f"{what}{fault.message}", hint)

    def is_usable(self, scorer: ScorerConfig, files: Mapping[str, str], check_scorer: CheckScorer) -> bool:
        """Whether a scorer is fine in itself, whatever the cases are."""
        before, label = len(self.problems), label_of(scorer)
        if file_of(scorer) in {None, *files}:
            for message in self.found_in_time(scorer, files, check_scorer):
                self.problems.add(self.places[label], f"scorer {label!r}: {message}")
        judges = self.config_file.judge_names
        for name in scorer.judges if isinstance(scorer, JudgeScorer) else ():
            if name not in judges:
                message = f"scorer {label!r}: expected a judge of the config, got {brief(name)}"
                hint = nearest(name, judges) or "the config has no `judges`: add one, or narrow `suites`"
                self.problems.add(self.places[label], message, hint)
        return len(self.problems) == before and file_of(scorer) in {None, *files}

    def found_in_time(self, scorer: ScorerConfig, files: Mapping[str, str], check_scorer: CheckScorer) -> Iterable[str]:
        """What is wrong with a scorer, or that this cannot be found out: a Python scorer may hang as it is loaded."""
        seconds = IMPORT_S if isinstance(scorer, PythonScorer) else CASE_S
        try:
            with time_limit(seconds):
                return list(check_scorer(scorer, files, self.folder))
        except TimeoutError:
            return [f"it takes longer than {seconds} s to check"]

    def with_cases(self, suite: Suite, rules: CaseRules) -> Suite:
        """The suite with what its cases say."""
        facts = check_cases(self.config, self.folder, self.document.where(("cases",)), rules, self.problems)
        if facts.kinds_are_known:
            self.check_kinds(facts.named_kinds, rules)
        return replace(
            suite,
            n_cases=facts.dataset.count,
            kinds=dict(sorted(facts.kinds.items())),
            tags=dict(sorted(facts.tags.items())),
            dataset_hash=facts.dataset.hexdigest(),
        )

    def check_kinds(self, kinds: Collection[str], rules: CaseRules) -> None:
        """Each kind that a scorer names must be a case's, and each kind of a case have a scorer."""
        unused = list(unused_kinds(self.scorers, kinds))
        for label, message, hint in unused:
            self.problems.add(self.places[label], f"scorer {label!r}: {message}", hint)
        for message, hint in () if unused else rules.unscored_kinds(sorted(kinds)):
            self.problems.add(self.document.where(("scorers",)), message, hint)

    def template_at(self, template: str, line: int) -> str:
        """Where a line of a template stands; the user's message has no name."""
        return f"{shown(self.folder / template)}:{line}" if template else self.document.where(("user",))


def label_of(scorer: ScorerConfig) -> str:
    """What a scorer is called in tables."""
    return scorer.name or scorer.type


def scorer_places(document: Document) -> dict[str, str]:
    """Where each scorer stands in the file, by what it is called; also those that are wrong."""
    listed = document.data.get("scorers")
    places: dict[str, str] = {}
    for index, written in enumerate(listed if isinstance(listed, list) else []):
        spelled = spell_out(written)
        label = (spelled.get("name") or spelled.get("type")) if isinstance(spelled, dict) else None
        places.setdefault(str(label), document.where(("scorers", index)))
    return places


def prompt_hash(config: SuiteConfig, templates: Mapping[str, str]) -> str:
    """The hash of every text that makes a message, whatever the prompt's file is called."""
    included = {name: text for name, text in templates.items() if name != config.prompt}
    prompt = templates.get(config.prompt) if config.prompt else None
    messages = [message.model_dump() for message in config.messages]
    return sha256({"prompt": prompt, "user": config.user, "messages": messages, "included": included})


def scorers_hash(config: SuiteConfig, files: Mapping[str, str]) -> str:
    """The hash of the scorers' files and options, as far as these differ from the defaults and change a score."""
    options = [
        scorer.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"min_youden"})
        for scorer in config.scorers
    ]
    return sha256({"scorers": options, "files": files})
