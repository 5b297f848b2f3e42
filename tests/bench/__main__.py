"""Every benchmark in turn: `make bench`. Figures are ratios within one run; the machine's other work disturbs them."""

from tests.bench import comparison, memory, pace, reports, startup, throughput, warehouse, whole_night


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
    main()
