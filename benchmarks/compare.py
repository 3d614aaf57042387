"""Two stored runs side by side."""

from __future__ import annotations

import statistics


def lines(old, new):
    """New time over old time for what both have."""
    yield f"{old['date']} ({old['machine']['cpu']}) and {new['date']} ({new['machine']['cpu']})"
    yield ""
    yield "| case | side | threads | old s | new s | new / old | old MB | new MB |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for name in (name for name in old["cases"] if name in new["cases"]):
        before = {_key(side): side for side in old["cases"][name]["sides"]}
        for side in new["cases"][name]["sides"]:
            was = before.get(_key(side))
            if was is None or not was.get("samples") or not side.get("samples"):
                continue
            then, now = (statistics.median(one["samples"]) for one in (was, side))
            memory = (f"{one['peak_mb']:,.0f}" if "peak_mb" in one else "" for one in (was, side))
            yield (
                f"| {name} | {side['side']} | {side['threads']} | {then:.4g} | {now:.4g} | {now / then:.2f} "
                f"| {' | '.join(memory)} |"
            )


def _key(side):
    return side["side"], side["threads"], side.get("every", 1)
