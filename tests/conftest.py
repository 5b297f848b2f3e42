"""What every test may ask for."""

from tests.fakes.prefect_server import prefect_home, prefect_server

__all__ = ["prefect_home", "prefect_server"]
