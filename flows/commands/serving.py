"""The command that stays: serve."""

from flows.answer import INTERRUPTED, Answered
from flows.serving.deployments import serve as serve_deployments


def serve(*, config: str, results: str | None, reports: str) -> Answered:
    """Serve until Ctrl-C, which is the only way in which it ends."""
    serve_deployments(config, results, reports)
    return Answered(exit_code=INTERRUPTED, data={"status": "interrupted"}, text="Stopped serving.")
