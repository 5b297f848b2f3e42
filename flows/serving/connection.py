"""Which Prefect server a run talks to: the one that the user named, or one of our own."""

import http.client
import os
import ssl
import threading
import urllib.error
import urllib.request

from flows.serving.prefect_settings import prefect_setting
from flows.serving.server import OWN_HOST, OwnServer, start_server
from tasks.errors import UsageError

ANSWER_TIMEOUT_S = 4.5
USUAL_PORT = 4200


def connect(*, lasting: bool = False) -> OwnServer | None:
    """Check that the named server answers, or start one of our own and name it to Prefect.

    A `lasting` one fires schedules.

    Raises:
        UsageError: the named server does not answer.
    """
    url = prefect_setting("api", "url")
    if url is None:
        server = start_lasting_server() if lasting else start_server()
        os.environ["PREFECT_API_URL"] = server.url
        bypass_proxies(OWN_HOST)
        return server
    if not answers(url):
        raise UsageError.single(f"no Prefect server answers at {url}", hint="start it or unset PREFECT_API_URL")
    return None


def start_lasting_server() -> OwnServer:
    """Start a server at Prefect's usual port, or at any other where that is taken."""
    try:
        return start_server(USUAL_PORT, lasting=True)
    except OSError:
        return start_server(lasting=True)


def bypass_proxies(host: str) -> None:
    """Keep the proxy of a company's network, if one is set, out of what stays on this machine."""
    others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    os.environ["no_proxy"] = f"{others},{host}" if others else host


def answers(url: str) -> bool:
    """Tell whether an API answers there in time, whatever holds it up: looking up the name, too."""
    answered = threading.Event()

    def ask() -> None:
        if is_api(url):
            answered.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWER_TIMEOUT_S)
    return answered.is_set()


def is_api(url: str) -> bool:
    """Tell whether an API is there; refused credentials or a certificate that only Prefect knows are its matter."""
    if not url.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=ANSWER_TIMEOUT_S) as response:  # noqa: S310
            return str(response.headers.get_content_type()) != "text/html"  # a page: the address lacks its /api
    except urllib.error.HTTPError as error:
        return error.code < http.client.INTERNAL_SERVER_ERROR
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)
    except (OSError, ValueError, http.client.HTTPException):
        return False
