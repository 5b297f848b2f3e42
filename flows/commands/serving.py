"""The command that stays: serve."""

from flows.answer import OK, Answered
from flows.serving import serve as serve_deployments


def serve(*, config: str, results: str | None) -> Answered:
    """Serve until Ctrl-C."""
    serve_deployments(config, results)
    return Answered(exit_code=OK, data={"status": "ok"}, text="Stopped serving.")
