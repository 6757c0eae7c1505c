"""The tables and bars of bench/faults."""

from statistics import median

from . import report
from .faults import AFTER

LIMIT = 50
COST = (("user µs", "user_us", "{:.2f}"), ("sys µs", "system_us", "{:.2f}"), ("cpu µs", "cpu_us", "{:.2f}"))
SPEED = ("req/s", "rps", "{:,.0f}")
SUCCESS = ("succeed", "success", "{:.3%}")
P99 = ("p99 µs", "p99_us", "{:,.0f}")
# Title, key, how it is printed.
COLUMNS = {
    "no_faults": (*COST, SPEED, P99, ("busy", "busy", "{:.0%}"), ("others", "foreign", "{:.0%}")),
    "instructions": (("instructions", "instructions", "{:,.0f}"),),
    "one_flaky": (*COST, SPEED, P99, SUCCESS, ("upstream/offered", "amplification", "{:.3f}")),
    "all_fail": (*COST, SPEED, P99, ("upstream/offered", "amplification", "{:.3f}")),
    "rejected": (*COST, SPEED, P99, ("cpu µs when passed on", "passed_cpu_us", "{:.2f}"),
                 ("ratio", "rejected_to_passed", "{:.3f}")),
    "limit": (*COST, SPEED, ("at once, median", "peak", "{:.0f}"), ("2xx", "answers_2xx", "{:,.0f}"),
              ("5xx", "answers_5xx", "{:,.0f}"), ("overloaded", "overloaded", "{:,.0f}"), ("cut", "cut", "{:.0f}")),
    "breaking": (*COST, SUCCESS, ("upstream/offered", "amplification", "{:.3f}"),
                 ("all good after s", "all_good_s", "{:.1f}"), ("all used after s", "all_used_s", "{:.1f}")),
}
COLUMNS["cluster_limit"] = COLUMNS["limit"]


def scenario_table(scenario, runs):
    columns = COLUMNS[scenario.name]
    rows = [["", *(title for title, _, _ in columns)]]
    for label, own in report.subjects(scenario, runs):
        values = ((report.middle(own, key), form) for _, key, form in columns)
        rows.append([label, *("-" if value is None else form.format(value) for value, form in values)])
    steps = step_table(scenario, runs) if scenario.kind == "breaking" else []
    return [f"{scenario.name}: {scenario.title}", *report.align(rows), *steps, *report.problems(scenario, runs), ""]


def step_table(scenario, runs):
    """What clients saw while each thing was broken: sums over the rounds, and the longest answer."""
    rows = [["", "", "ok", "4xx", "5xx", "cut", "longest ms"]]
    subjects = [(label, own) for label, own in report.subjects(scenario, runs) if own]
    for title in subjects[0][1][0]["steps"] if subjects else ():
        for label, own in subjects:
            steps = [run["steps"][title] for run in own]
            sums = [sum(step[key] for step in steps) for key in ("answers_2xx", "answers_4xx", "answers_5xx", "cut")]
            longest = max(step["max_us"] for step in steps) / 1e3
            rows.append([title, label, *(f"{value:,}" for value in sums), f"{longest:,.0f}"])
    return report.align(rows) if len(rows) > 1 else []


def bars(runs):
    """What Sluice's figures are held to: {"scenario", "measure", "value", "bar", "met"} each."""
    found = []

    def add(scenario, measure, value, is_met, bar):
        found.append({"scenario": scenario, "measure": measure, "value": value, "bar": bar, "met": is_met})

    pairs = report.paired(runs, "no_faults", ("sluice", "guarded"), ("sluice", "bare"), "user_us")
    if pairs:
        more = median(guarded - bare for guarded, bare in pairs)
        add("no_faults", "user µs more per request", f"{more:.2f}", more <= 0.4, "at most 0.40")
    for variant in ("retry", "retry, outliers"):
        own = report.runs_of(runs, "one_flaky", "sluice", variant)
        if own:
            share, sent = report.middle(own, "success"), report.middle(own, "amplification")
            add("one_flaky", f"{variant}: succeed", f"{share:.3%}", share >= 0.9995, "at least 99.95%")
            add("one_flaky", f"{variant}: upstream/offered", f"{sent:.3f}", sent <= 1.25, "at most 1.25")
    own = report.runs_of(runs, "all_fail", "sluice")
    if own:
        sent = report.middle(own, "amplification")
        add("all_fail", "upstream/offered", f"{sent:.3f}", sent <= 1.25, "at most 1.25")
    own = report.runs_of(runs, "rejected", "sluice")
    if own:
        ratio = report.middle(own, "rejected_to_passed")
        add("rejected", "cpu, rejected/passed on", f"{ratio:.3f}", ratio <= 0.25, "at most 0.25")
    for scenario in ("limit", "cluster_limit"):
        add_limit(add, scenario, report.runs_of(runs, scenario, "sluice"))
    own = report.runs_of(runs, "breaking", "sluice")
    if own:
        last = [run["steps"][AFTER] for run in own]
        lost = sum(step["answers_4xx"] + step["answers_5xx"] + step["cut"] for step in last)
        add("breaking", f"{AFTER}: not ok", f"{lost}", lost == 0, "exactly 0")
    return found


def add_limit(add, scenario, own):
    """A limit is exact in every round, or it is not exact."""
    if not own:
        return
    peaks = sorted({run["peak"] for run in own})
    add(scenario, "requests at once", ", ".join(map(str, peaks)), peaks == [LIMIT], f"exactly {LIMIT}")
    marked, rejected = (sum(run[key] for run in own) for key in ("overloaded", "answers_5xx"))
    add(scenario, "rejected with x-envoy-overloaded", f"{marked:,} of {rejected:,}", 0 < marked == rejected, "all")


def bar_table(found):
    if not found:
        return []
    rows = [["scenario", "measure", "sluice", "bar", ""]]
    for bar in found:
        rows.append([bar["scenario"], bar["measure"], bar["value"], bar["bar"], "met" if bar["met"] else "MISSED"])
    return ["Bars", *report.align(rows)]
