"""What `benchmarks.scale` has found as tables, of which docs/scale.md has some, and as a chart."""

import re
import statistics
from pathlib import Path
from typing import Any, Final

MONTH: Final = 730.0
"""Hours."""

VCPU, GIGABYTE = 0.04048, 0.004445
TASK_PRICE: Final = 0.5 * VCPU + GIGABYTE + 0.005
"""Dollars an hour of a task with 0.5 vCPU and 1 GB on x86, and its public IPv4 address, in us-east-1."""

CORE_PRICES: Final = {
    "Fargate, x86": VCPU + 2 * GIGABYTE,
    "Fargate Spot, x86": 0.3 * (VCPU + 2 * GIGABYTE),
    "EC2 on demand, m7g.large": 0.0816 / 2,
    "EC2 Spot at 40% of that": 0.4 * 0.0816 / 2,
}
"""Dollars an hour for a vCPU with 2 GB; see docs/scale.md for their sources."""

PICTURES: Final = 100_000_000
CORES: Final = 100

ROUND_TRIPS: Final = {"the same zone": 0.5, "another zone": 1.0}
"""Milliseconds from a task to a database and back; assumed."""


def blocks(record: dict[str, Any]) -> dict[str, str]:
    """Markdown by the names that its places have in docs/scale.md."""
    return {
        "curve": curve(record),
        "costs": costs(record["measured"]),
        "bulk": bulk(record["measured"]),
        "surge": surge(record),
        "writes": writes(record["measured"]),
        "traffic": traffic(record["measured"]),
    }


def filled(text: str, found: dict[str, str]) -> str:
    """A document with what is between `<!-- NAME -->` and `<!-- end -->` replaced."""
    return re.sub(
        r"(<!-- (\w+) -->\n).*?(<!-- end -->)",
        lambda place: f"{place[1]}\n{found[place[2]]}\n\n{place[3]}",
        text,
        flags=re.DOTALL,
    )


def write(record: dict[str, Any], root: Path) -> None:
    found = blocks(record)
    (root / "benchmarks/scale.md").write_text("\n\n".join(found.values()) + "\n")
    document = root / "docs/scale.md"
    document.write_text(filled(document.read_text(), found))
    chart(record, root / "images/scale.png")


def curve(record: dict[str, Any]) -> str:
    found = record["measured"]
    told_by = record["simulated"]["curve"]
    off = {
        name: [max(a[name] / b[name], b[name] / a[name]) for a, b in zip(found["curve"], told_by, strict=True)]
        for name in ("answered", "p50", "p99")
    }
    rows = [
        "| load | requests/s | answered | simulated | refused | simulated | p50 ms | simulated | p99 ms | simulated |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for seen, told in zip(found["curve"], told_by, strict=True):
        cells = [f"{seen['load']:.0%}", f"{seen['rate']:.0f}"]
        for name in ("answered", "refused"):
            cells += [f"{seen[name]:.0f}", f"{told[name]:.0f}"]
        for name in ("p50", "p99"):
            cells += [f"{seen[name]:.1f}", f"{told[name]:.1f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(
        [
            *rows,
            "",
            f"100% is what {found['processors']:g} of a processor answers to callers who ask all the time, "
            f"{found['capacity']:.0f} a second. {found['machine']}; Python {found['python']}; "
            f"of {found['times']} runs of {found['seconds']:g} s each the median, and the shortest times.",
            "",
            "The simulation is off by "
            + ", ".join(
                f"a factor of {statistics.median(factors):.2f} in {words} (median; {max(factors):.2f} at most)"
                for words, factors in zip(("answers a second", "p50", "p99"), off.values(), strict=True)
            )
            + ".",
        ]
    )


def costs(found: dict[str, Any]) -> str:
    names = {
        "loop": "the event loop, to take a request and to answer it",
        "lane": "the lane, to decode a drawing and to ask the network",
        "refusal": "a request that is refused",
        "waking": "on top, when the task has slept for long",
    }
    rows = ["| processor time | ms |", "|---|--:|"]
    rows += [f"| {words} | {1000 * found['costs'][name]:.2f} |" for name, words in names.items()]
    return "\n".join(rows)


def bulk(found: dict[str, Any]) -> str:
    rows = [
        f"| pictures | a core-second | core-hours for 100 million | on {CORES} cores | "
        + " | ".join(CORE_PRICES)
        + " |",
        "|---|--:|--:|--:|" + "--:|" * len(CORE_PRICES),
    ]
    for kind, milliseconds in found["pictures"].items():
        hours = PICTURES * milliseconds / 1000 / 3600
        dollars = " | ".join(f"${hours * price:.2f}" for price in CORE_PRICES.values())
        rows.append(
            f"| {kind} | {1000 / milliseconds:,.0f} | {hours:.1f} | {60 * hours / CORES:.0f} minutes | {dollars} |"
        )
    return "\n".join(rows)


def surge(record: dict[str, Any]) -> str:
    told, surge = record["simulated"], record["simulated"]["surge"]
    rows = [
        "| target | tasks before | a month | most tasks | told to come back | gave up | worst p99 | not well for |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for entry in told["surges"]:
        rows.append(
            f"| {entry['name']} | {entry['before']} | ${entry['before'] * TASK_PRICE * MONTH:.0f} | {entry['most']} "
            f"| {entry['refused']:.1%} | {entry['failed']:.1%} | {_time(max(entry['p99']))} | {_unwell(entry, surge)} |"
        )
    return "\n".join(
        [
            *rows,
            "",
            f"From {surge['rate']:.0f} requests a second to {surge['times']:g} times as many for "
            f"{surge['lasts'] / 60:.0f} minutes, all at once; callers ask again as the Python client does. "
            "Well is a minute with a p99 below a second, with the waiting of those who were told to come back.",
        ]
    )


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds > 1 else f"{1000 * seconds:.1f} ms"


def _unwell(entry: dict[str, Any], surge: dict[str, Any]) -> str:
    first = int(surge["before"] / 60)
    bad = [minute for minute, seconds in enumerate(entry["p99"]) if minute >= first and not 0 < seconds < 1]
    return f"{len(bad)} minutes" if bad else "no time"


def writes(found: dict[str, Any]) -> str:
    taken, moved, trips = (found["writes"][name] for name in ("taken", "moved", "round_trips"))
    rows = ["| samples | a second |", "|---|--:|"]
    rows.append(f"| taken by one task, on its disk | {taken:,.0f} |")
    rows.append(f"| moved to PostgreSQL on the same machine, by all tasks together | {moved:,.0f} |")
    for where, milliseconds in ROUND_TRIPS.items():
        slower = 1 / (1 / moved + trips * milliseconds / 1000)
        rows.append(f"| the same, were it {milliseconds:g} ms away, in {where} | {slower:,.0f} |")
    return "\n".join([*rows, "", f"For each sample there are {trips:.1f} answers of the database to wait for."])


TIMES: Final = (1, 10, 1000)


def traffic(found: dict[str, Any]) -> str:
    """What 20 requests a second, and more, need; by list prices."""
    rows = ["| | " + " | ".join(f"{20 * times:,}/s" for times in TIMES) + " |", "|---|" + "--:|" * len(TIMES)]
    rates = [20.0 * times for times in TIMES]
    share = 0.6 * found["capacity"]
    tasks = [max(2, rate / share) for rate in rates]
    lcus = [rate * (found["request_bytes"] + ANSWER_BYTES) * 3600 / 1e9 for rate in rates]
    monthly = MONTH * 3600
    for name, values in {
        "tasks at 20 requests a second": [f"{max(2, rate / 20):,.0f}" for rate in rates],
        "tasks at 60% of the processor": [f"{-(-number // 1):,.0f}" for number in tasks],
        "these, dollars a month": [f"{-(-number // 1) * TASK_PRICE * MONTH:,.0f}" for number in tasks],
        "capacity units of the load balancer": [f"{units:,.1f}" for units in lcus],
        "these, dollars a month ": [f"{units * 0.008 * MONTH:,.0f}" for units in lcus],
        "requests through CloudFront, dollars a month": [
            f"{max(0, rate * monthly - 10e6) / 1e6:,.0f}" for rate in rates
        ],
    }.items():
        rows.append(f"| {name.strip()} | {' | '.join(values)} |")
    return "\n".join(rows)


ANSWER_BYTES: Final = 900
"""Of an answer with its headers."""


def chart(record: dict[str, Any], file: Path) -> None:
    """The curve as measured and as simulated, and p99 and tasks through the surge."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    found, told = record["measured"], record["simulated"]
    loads = [100 * entry["load"] for entry in found["curve"]]
    figure, (times, answers, late, tasks) = plt.subplots(1, 4, figsize=(16, 4), layout="constrained")
    for name, colour in (("p50", "#2563eb"), ("p99", "#dc2626")):
        times.plot(loads, [point[name] for point in told["curve"]], color=colour, label=f"{name}, simulated")
        times.plot(loads, [point[name] for point in found["curve"]], "o", color=colour, label=f"{name}, measured")
    times.set(yscale="log", title="one task: ms until an answer", xlabel="load, % of what it can")
    for name, colour in (("answered", "#16a34a"), ("refused", "#9ca3af")):
        answers.plot(loads, [point[name] for point in told["curve"]], color=colour, label=f"{name}, simulated")
        answers.plot(loads, [point[name] for point in found["curve"]], "o", color=colour, label=f"{name}, measured")
    answers.set(title="one task: requests a second", xlabel="load, % of what it can")
    for entry in told["surges"]:
        late.plot(range(len(entry["p99"])), [value or None for value in entry["p99"]], label=entry["name"])
        tasks.plot(range(1, len(entry["tasks"]) + 1), entry["tasks"], drawstyle="steps-mid")
    late.set(yscale="log", title="surge: p99, s", xlabel="minutes")
    tasks.set(title="surge: tasks", xlabel="minutes")
    begins = told["surge"]["before"] / 60
    for axis in (late, tasks):
        axis.axvspan(begins, begins + told["surge"]["lasts"] / 60, color="#f3f4f6")
    for axis in (times, answers, late, tasks):
        axis.spines[["top", "right"]].set_visible(False)
        axis.title.set_fontsize(11)
        if axis is not tasks:
            below = {"loc": "upper left", "bbox_to_anchor": (0, -0.15)} if axis is late else {}
            axis.legend(frameon=False, fontsize=8, **below)
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=110)
    plt.close(figure)
