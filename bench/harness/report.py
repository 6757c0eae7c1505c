"""Medians, tables and ratios."""

from statistics import median

MIB = 1 << 20
NOISY = 0.05  # share of the proxy's core that others used


def runs_of(runs, scenario, proxy=None, variant=None):
    return [r for r in runs if r["scenario"] == scenario and (proxy is None or r["proxy"] == proxy)
            and (variant is None or r["variant"] == variant) and "problem" not in r]


def middle(runs, key):
    values = [value for value in (look_up(run, key) for run in runs) if value is not None]
    return median(values) if values else None


def look_up(run, key):
    if key == "pss_mib":
        return run["memory"]["pss"] / MIB
    if key == "private_mib":
        return run["memory"]["private"] / MIB
    if key == "pss_before_mib":
        return run["memory_before"]["pss"] / MIB
    return run.get(key)


def best(runs, key):
    """The smallest value. Whatever disturbs a run only ever adds to it."""
    return min(look_up(run, key) for run in runs)


def spread(runs, key):
    """How far the rounds lie apart: (largest - smallest) / median."""
    values = [run[key] for run in runs]
    return (max(values) - min(values)) / median(values)


# Title, key, how it is printed.
COLUMNS = {
    "load": (("req/s", "rps", "{:,.0f}"), ("user µs", "user_us", "{:.2f}"), ("sys µs", "system_us", "{:.2f}"),
             ("cpu µs", "cpu_us", "{:.2f}"), ("p50 µs", "p50_us", "{:,.0f}"), ("p99 µs", "p99_us", "{:,.0f}"),
             ("PSS MiB", "pss_mib", "{:.1f}"), ("busy", "busy", "{:.0%}"), ("others", "foreign", "{:.0%}")),
    "idle_connections": (
        ("bytes/conn", "bytes_per_connection", "{:,.0f}"), ("PSS before MiB", "pss_before_mib", "{:.1f}"),
        ("PSS after MiB", "pss_mib", "{:.1f}"), ("PSS after/conn", "pss_per_connection", "{:,.0f}")),
    "idle_process": (("start ms", "start_ms", "{:.1f}"), ("PSS MiB", "pss_mib", "{:.2f}"),
                     ("private MiB", "private_mib", "{:.2f}"), ("threads", "threads", "{:.0f}")),
    "parser": (("ns/request", "parse_ns", "{:.1f}"),),
    "scrape": (("scrape CPU ms", "scrape_cpu_ms", "{:.1f}"), ("scrape KiB", "scrape_kib", "{:,.0f}"),
               ("series", "series", "{:,.0f}"), ("longest request, quiet ms", "quiet_max_ms", "{:.2f}"),
               ("longest, scraped ms", "scraped_max_ms", "{:.2f}"), ("p99, quiet µs", "quiet_p99_us", "{:,.0f}"),
               ("p99, scraped µs", "scraped_p99_us", "{:,.0f}"), ("PSS MiB", "pss_mib", "{:.1f}")),
}
COLUMNS["h2_idle_connections"] = COLUMNS["idle_connections"]
# h2load says no percentiles.
MEAN = ("mean µs", "mean_us", "{:,.0f}")
PER_GIB = ("cpu s/GiB", "cpu_seconds_per_gib", "{:.3f}")


def columns_of(scenario):
    columns = COLUMNS[scenario.kind]
    if scenario.kind == "load" and scenario.variants[0].load.streams:
        columns = (*columns[:4], MEAN, *columns[6:])
    return (*columns[:4], PER_GIB, *columns[4:]) if scenario.per_gib else columns


def subjects(scenario, runs):
    """(label, runs) for each line of a scenario's table, in the order they were first measured."""
    seen = dict.fromkeys((run["proxy"], run["variant"]) for run in runs if run["scenario"] == scenario.name)
    for proxy, variant in seen:
        yield f"{proxy} {variant}".strip(), runs_of(runs, scenario.name, proxy, variant)


def scenario_table(scenario, runs):
    columns = columns_of(scenario)
    rows = [["", *(title for title, _, _ in columns), *(["best cpu", "spread"] if scenario.kind == "load" else [])]]
    for label, own in subjects(scenario, runs):
        cells = [label]
        for _, key, form in columns:
            value = middle(own, key)
            cells.append("-" if value is None else form.format(value))
        if scenario.kind == "load":
            cells += [f"{best(own, 'cpu_us'):.2f}", f"{spread(own, 'cpu_us'):.0%}"] if own else ["-", "-"]
        rows.append(cells)
    return [f"{scenario.name}: {scenario.title}", *align(rows), *problems(scenario, runs), ""]


def align(rows):
    """Columns of one width each: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths)))
            for row in rows]


def problems(scenario, runs):
    lines = []
    for run in runs:
        if run["scenario"] != scenario.name:
            continue
        if "problem" in run:
            lines.append(f"  ! {run['proxy']} round {run['round']}, left out: {run['problem']}")
    noisy = sum(1 for run in runs if run["scenario"] == scenario.name and run.get("foreign", 0) > NOISY)
    if noisy:
        lines.append(f"  ! in {noisy} runs others used more than {NOISY:.0%} of the proxy's core: not a quiet machine")
    return lines


def variant_pairs(scenario, runs, key):
    """The largest and the smallest variant's values, round by round."""
    first, last = scenario.variants[0], scenario.variants[-1]
    return paired(runs, scenario.name, ("sluice", last.label), ("sluice", first.label), key)


def filter_ns(scenario, runs):
    """What one more filter costs. User time: a filter makes no system call, whose times only add noise."""
    filters = [variant.job.filters for variant in (scenario.variants[0], scenario.variants[-1])]
    pairs = variant_pairs(scenario, runs, "user_us")
    return median(a - b for a, b in pairs) * 1e3 / (filters[1] - filters[0]) if pairs else None


def telemetry_us(scenario, runs):
    pairs = variant_pairs(scenario, runs, "user_us")
    return median(a - b for a, b in pairs) if pairs else None


def timing_ns(scenario, runs):
    """What the measure of one filter costs in one direction; of the router there is one as well.

    Of all CPU time, which is exact: it makes no system call."""
    stages = scenario.variants[0].job.filters + 1
    pairs = variant_pairs(scenario, runs, "cpu_us")
    return median(a - b for a, b in pairs) * 1e3 / (2 * stages) if pairs else None


def routes_ratio(scenario, runs):
    pairs = variant_pairs(scenario, runs, "user_us")
    return median(a / b for a, b in pairs) if pairs else None


def workers_ratio(scenario, runs):
    pairs = variant_pairs(scenario, runs, "cpu_us")
    return median(a / b for a, b in pairs) if pairs else None


# Figures of Sluice alone that are not a column.
OWN = {"filter_ns": filter_ns, "routes_ratio": routes_ratio, "workers_ratio": workers_ratio, "telemetry_us": telemetry_us,
       "timing_ns": timing_ns}


def limits(scenarios, runs):
    """Sluice's own figures that are held to something."""
    found = []
    for scenario in scenarios:
        for name, key, most in scenario.limits:
            own = OWN.get(key)
            value = own(scenario, runs) if own else middle(runs_of(runs, scenario.name, "sluice"), key)
            if value is not None:
                found.append({"scenario": scenario.name, "measure": name, "key": key, "value": value, "at_most": most})
    return found


def limit_table(found):
    if not found:
        return []
    rows = [["scenario", "measure", "sluice", "at most", ""]]
    for limit in found:
        rows.append([limit["scenario"], limit["measure"], f"{limit['value']:,.2f}", f"{limit['at_most']:,.2f}",
                     "ok" if limit["value"] <= limit["at_most"] else "MISSED"])
    return ["Limits", *align(rows)]


def paired(runs, scenario, one, other, key):
    """The values of two subjects, round by round: what drifts in a round drifts for both."""
    first = {r["round"]: look_up(r, key) for r in runs_of(runs, scenario, *one)}
    second = {r["round"]: look_up(r, key) for r in runs_of(runs, scenario, *other)}
    return [(first[n], second[n]) for n in sorted(first.keys() & second.keys())]


# What a ratio compares: for each kind of scenario, (name, key).
MEASURES = {
    "load": (("cpu", "cpu_us"), ("user", "user_us"), ("p99", "p99_us"), ("mean", "mean_us"), ("PSS", "pss_mib")),
    "idle_connections": (("bytes/conn", "bytes_per_connection"), ("PSS", "pss_mib")),
    "idle_process": (("PSS", "pss_mib"), ("start", "start_ms")),
}
MEASURES["h2_idle_connections"] = MEASURES["idle_connections"]


def ratios(scenarios, runs):
    """Sluice / peer for every shared measure, with the bar where there is one."""
    found = []
    for scenario in scenarios:
        if scenario.sluice_only:
            continue
        peers = dict.fromkeys(r["proxy"] for r in runs if r["scenario"] == scenario.name and r["proxy"] != "sluice")
        bars = {(measure, peer): most for measure, peer, most in scenario.bars}
        for name, key in MEASURES[scenario.kind]:
            for peer in peers:
                pairs = [(a, b) for a, b in paired(runs, scenario.name, ("sluice", ""), (peer, ""), key) if a is not None and b]
                values = [a / b for a, b in pairs]
                if values:
                    found.append({
                        "scenario": scenario.name, "measure": name, "peer": peer, "ratio": median(values),
                        "best": min(a for a, _ in pairs) / min(b for _, b in pairs),
                        "low": min(values), "high": max(values), "at_most": bars.get((name, peer))})
    return found


def ratio_table(found):
    if not found:
        return []
    rows = [["scenario", "measure", "peer", "sluice/peer", "rounds", "of best", "at most", ""]]
    for ratio in sorted(found, key=lambda r: r["at_most"] is None):
        bar = ratio["at_most"]
        verdict = "" if bar is None else "ok" if ratio["ratio"] <= bar else "MISSED"
        if verdict == "MISSED" and ratio["best"] <= bar:
            verdict = "MISSED, but not by the best rounds: more rounds?"
        rows.append([ratio["scenario"], ratio["measure"], ratio["peer"], f"{ratio['ratio']:.2f}",
                     f"{ratio['low']:.2f}-{ratio['high']:.2f}", f"{ratio['best']:.2f}",
                     "" if bar is None else f"{bar:.2f}", verdict])
    return ["Ratios (below 1: Sluice needs less)", *align(rows)]


def missed(ratios, limits):
    return [*(r for r in ratios if r["at_most"] is not None and r["ratio"] > r["at_most"]),
            *(r for r in limits if r["value"] > r["at_most"])]
