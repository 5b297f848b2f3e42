"""The command that stays: serve."""

from flows.answer import INTERRUPTED, Answered
from flows.serving import serve as serve_deployments


def serve(*, config: str, results: str | None) -> Answered:
    """Serve until Ctrl-C, which is the only way in which it ends."""
    serve_deployments(config, results)
    return Answered(exit_code=INTERRUPTED, data={"status": "interrupted"}, text="Stopped serving.")
