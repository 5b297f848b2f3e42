"""Every benchmark in turn: `make bench`. Figures are ratios within one run; the machine's other work disturbs them.

`--quick` runs a few of them on so little that the figures say nothing, and only shows that they run.
"""

import sys

from tests.bench import comparison, memory, pace, reports, startup, throughput, warehouse, whole_night


def quick() -> None:
    """Run some on very little."""
    throughput.main(200, 1)
    warehouse.main(2)
    comparison.main()


def main() -> None:
    """Print the tables."""
    startup.main(3)
    throughput.main(1000, 3)
    throughput.judged(500, 3)
    whole_night.main()
    pace.main()
    memory.main()
    warehouse.main()
    comparison.main()
    reports.main()


if __name__ == "__main__":
    quick() if "--quick" in sys.argv[1:] else main()
