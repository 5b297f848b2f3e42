"""The command line. Only light modules are imported here: `daybreak --help` answers at once."""

import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import Any

import click

from flows.answer import Answered, answer_for

Command = Callable[..., Answered]


def common(command: Command) -> Command:
    """Add the options that every command takes."""
    for option in (
        click.option("--json", is_flag=True, expose_value=False, help="One JSON object on stdout, all else on stderr."),
        click.option("--results", type=click.Path(), help="Where results go, instead of the config's folder."),
        click.option("--config", default="deployments/daybreak.yaml", show_default=True, type=click.Path()),
    ):
        command = option(command)
    return command


suites = click.option("--suite", "suites", multiple=True, help="Only this suite; may be repeated.")
models = click.option("--model", "models", multiple=True, help="Only this model; may be repeated.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="daybreak")
def daybreak() -> None:
    """Run LLM evaluations every night and tell which features got worse, and whether the drop is real."""


@daybreak.command()
@common
@suites
def check(**options: Any) -> Answered:
    """Check config, suites and credentials. No model is called."""
    from flows.commands import inspect

    return inspect.check(**options)


@daybreak.command()
@common
@suites
@models
def plan(**options: Any) -> Answered:
    """Tell calls, cost, minutes and detectable drop per cell. No model is called."""
    from flows.commands import inspect

    return inspect.plan(**options)


@daybreak.command()
@common
@suites
@models
@click.option("--resume", metavar="RUN_ID|latest", help="Go on with a run that did not come to its end.")
def nightly(**options: Any) -> Answered:
    """Run the night: every suite on every model, compared with its baseline."""
    from flows.commands import evaluate

    return evaluate.nightly(**options)


@daybreak.command()
@common
@suites
@click.option("--candidate", required=True, help="A model's name in the config, a litellm id, or a run id.")
@click.option(
    "--baseline", help="A model's name, a litellm id or a run id. Default: itself unchanged, its compare_to or its pin."
)
@click.option("--prompt", metavar="FILE|RUN_ID", help="Ask the candidate with this system prompt, or with a run's.")
@click.option("--param", "params", metavar="NAME=VALUE", multiple=True, help="Ask it with this parameter; repeatable.")
@click.option("--api-base", metavar="URL|default", help="Ask it at this address.")
@click.option("--notify", is_flag=True, help="Tell Slack, as a night does.")
def compare(**options: Any) -> Answered:
    """Compare one candidate with its baseline, now."""
    from flows.commands import evaluate

    return evaluate.compare(**options)


@daybreak.group()
def baseline() -> None:
    """List the pinned baselines, or promote a run to be one."""


@baseline.command("list")
@common
def baseline_list(**options: Any) -> Answered:
    """List what each cell is compared with."""
    from flows.commands import baselines

    return baselines.show(**options)


@baseline.command("promote")
@common
@suites
@models
@click.argument("run_id")
def baseline_promote(**options: Any) -> Answered:
    """Make the cells of RUN_ID the baselines from now on."""
    from flows.commands import baselines

    return baselines.promote(**options)


@daybreak.group()
def judge() -> None:
    """Measure how far judges agree with people, and show it."""


@judge.command("calibrate")
@common
@suites
def judge_calibrate(**options: Any) -> Answered:
    """Ask the judges about the outputs that people labelled."""
    from flows.commands import judges

    return judges.calibrate(**options)


@judge.command("show")
@common
@suites
def judge_show(**options: Any) -> Answered:
    """Show how far each judge agreed with people, and how that went over time."""
    from flows.commands import judges

    return judges.show(**options)


@judge.command("sample")
@common
@suites
@click.option("--run", "run_id", metavar="RUN_ID", help="Of this run, instead of the newest with judged suites.")
@click.option("--n", type=click.IntRange(1), default=40, show_default=True, help="Outputs of each cell.")
@click.option("--out", type=click.Path(), help="A .csv or .jsonl file.  [default: judge-sample-RUN_ID.csv]")
def judge_sample(**options: Any) -> Answered:
    """Draw outputs of a night for people to label."""
    from flows.commands import auditing

    return auditing.sample(**options)


@judge.command("label")
@common
@click.argument("path", metavar="FILE", type=click.Path())
@click.option("--annotator", default="people", show_default=True, help="Whose verdicts these are.")
def judge_label(**options: Any) -> Answered:
    """Take the labels of a sample into the suites' calibration files."""
    from flows.commands import auditing

    return auditing.label(**options)


@daybreak.command()
@common
def runs(**options: Any) -> Answered:
    """List runs, newest first, unfinished ones too."""
    from flows.commands import results

    return results.runs(**options)


@daybreak.command()
@common
@suites
@click.option("--probe/--no-probe", default=True, help="Ask each model one thing, to learn which version answers.")
@click.option("--compare/--no-compare", default=True, help="Start the comparison where a version moved.")
def watch(**options: Any) -> Answered:
    """Look for versions that moved and for models that retire; one small call to each model."""
    from flows.commands import watching

    return watching.watch(**options)


@daybreak.command()
@common
@click.argument("run_id", required=False)
@click.option("--open", "opened", is_flag=True, help="Open it in a browser.")
@click.option("--format", "form", type=click.Choice(["html", "junit", "markdown"]), default="html", show_default=True)
def report(**options: Any) -> Answered:
    """Tell where the report of RUN_ID is, by default of the newest run, or print it as JUnit XML or Markdown."""
    from flows.commands import results

    return results.report(**options)


@daybreak.command()
@common
@click.argument("statement")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def sql(**options: Any) -> Answered:
    """Ask the warehouse, read-only: daybreak sql "SELECT * FROM comparisons"."""
    from flows.commands import results

    return results.sql(**options)


@daybreak.command()
@common
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option("--format", "form", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True)
def export(**options: Any) -> Answered:
    """Write every view of the warehouse to a file in DIR."""
    from flows.commands import results

    return results.export(**options)


@daybreak.command()
@common
def rebuild(**options: Any) -> Answered:
    """Build the warehouse anew from the Parquet parts."""
    from flows.commands import results

    return results.rebuild(**options)


@daybreak.group()
def alerts() -> None:
    """Show what Slack is told of open incidents, or be quiet about one."""


@alerts.command("preview")
@common
def alerts_preview(**options: Any) -> Answered:
    """Show the message of every open incident, without Slack; --json has the blocks."""
    from flows.commands import alerts

    return alerts.preview(**options)


@alerts.command("ack")
@common
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The last day. Default: until it is over."
)
@click.argument("incident_id")
def alerts_ack(**options: Any) -> Answered:
    """Be quiet about an incident that the team knows of."""
    from flows.commands import alerts

    return alerts.ack(**options)


@daybreak.command()
@common
@click.option(
    "--reports", metavar="HOST:PORT", default="127.0.0.1:4201", show_default=True, help="Where to serve pages."
)
def serve(**options: Any) -> Answered:
    """Serve every deployment of prefect.yaml with its schedule, and the reports, until Ctrl-C."""
    from flows.commands import serving

    return serving.serve(**options)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    as_json = "--json" in arguments
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name in another encoding must not hide the answer
    answered = answer_for(lambda: daybreak.main(arguments, prog_name="daybreak", standalone_mode=False))
    if answered is not None:
        try:
            answered.show(as_json=as_json)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(answered.exit_code)
