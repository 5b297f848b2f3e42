"""`python -m tests.kills [KILLS [SEED]]`: kill nights at random moments with one and two workers, and print a table."""

import os
import random
import sys
import tempfile
from pathlib import Path

from flows.serving.server import start_server
from tests.fakes.provider import FakeProvider
from tests.kills.chain import KilledNights

KILLS_PER_NIGHT = 5


def main(kills: int = 50, seed: int = 0) -> None:
    """Kill nights until there were enough; exit 1 where something does not hold."""
    with tempfile.TemporaryDirectory() as folder, FakeProvider() as provider:
        os.environ["PREFECT_HOME"] = str(Path(folder, "home"))
        server = start_server()
        server.wait_until_ready()
        os.environ["PREFECT_API_URL"] = server.url
        chance, nights = random.Random(seed), KilledNights(Path(folder), provider)
        print(f"{'night':6}{'kills':24}{'asked':>7}{'in flight at a kill':>21}  verdict")
        killed = failed = 0
        while killed < kills:
            chain = nights.chain(min(KILLS_PER_NIGHT, kills - killed), chance)
            killed += len(chain.kills)
            shown = " ".join(f"{kill.workers}w@{kill.asked}" for kill in chain.kills)
            lost = sum(kill.lost for kill in chain.kills)
            print(f"{killed:<6}{shown:36}{chain.asked:>7}{lost:>10}  {chain.verdict}", flush=True)
            for problem in chain.problems:
                failed += 1
                print(f"      {problem}", flush=True)
        print(f"{killed} kills, {failed} problems")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
