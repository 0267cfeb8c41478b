"""A serving benchmark's record as a table and as a chart."""

from pathlib import Path
from typing import Any


def table(record: dict[str, Any]) -> str:
    """Markdown; one row for each contender and number of connections."""
    lines = [
        "| server | connections | requests/s | p50 ms | p99 ms | CPU ms a request | memory MB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for entry in record["results"]:
        failed = f" ({entry['failed']} failed)" if entry["failed"] else ""
        lines.append(
            f"| {entry['name']} | {entry['connections']} | {entry['rate']:,.0f}{failed} | {entry['p50']:.1f} "
            f"| {entry['p99']:.1f} | {entry['cpu']:.2f} | {entry['memory']:.0f} |"
        )
    lines += [
        "",
        f"No server at all, one picture after the other: {record['decoded_cpu_ms']:.2f} ms of CPU to decode it and ask "
        f"the network, {record['read_cpu_ms']:.2f} ms for all that reading takes. "
        f"{record['machine']}; Python {record['python']}; {record['seconds']} s for each row; "
        f"the same PNG of {record['picture_bytes']:,} bytes.",
        "",
    ]
    return "\n".join(lines)


def chart(record: dict[str, Any], file: Path) -> None:
    """Requests a second and the 99th percentile at the most connections, as bars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    most = max(entry["connections"] for entry in record["results"])
    entries = [entry for entry in record["results"] if entry["connections"] == most][::-1]
    names = [entry["name"] for entry in entries]
    colours = ["#2563eb" if name.startswith("this") else "#9ca3af" for name in names]
    figure, axes = plt.subplots(1, 2, figsize=(10, 0.6 * len(names) + 1.2), sharey=True, layout="constrained")
    panels = (("rate", f"requests a second, {most} connections"), ("p99", "99th percentile, ms (less is better)"))
    for axis, (field, title) in zip(axes, panels, strict=True):
        values = [entry[field] for entry in entries]
        bars = axis.barh(names, values, color=colours)
        axis.bar_label(bars, [f"{value:,.0f}" for value in values], padding=4)
        axis.set_title(title, fontsize=11, loc="left")
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        axis.tick_params(length=0)
        axis.set_xticks([])
        axis.margins(x=0.15)
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=160)
    plt.close(figure)
