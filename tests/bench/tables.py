"""The rows that the benchmark's programs print, as tables for people, as Markdown, and against the goals."""

# Table, begin of the row, figure, relation, bound, where it holds: far or near memory, or both.
GOALS = [
    ("ratio to the floor", "payload / scan", "ratio", "<=", 1.43, "near"),
    ("ratio to the floor", "fields / decode", "ratio", "<=", 2.0, "near"),
    ("ratio to the floor", "fields / decode", "ratio", "<=", 3.5, "far"),
    ("ratio to the floor", "payload, 8192 bytes deep", "ratio", "<=", 2.2, ""),
    ("alert storm", "one alert", "worker us", "<=", 0.5, ""),
    ("alert storm", "one alert", "exporter us", "<=", 5.0, ""),
    ("workers", "replay", "of the floor's", ">=", 0.9, ""),
    ("workers", "two rings", "of the floor's", ">=", 0.9, ""),
    ("flow table", "", "rte_hash / own", ">=", 2.0, ""),
    ("hostile traffic", "", "share of normal", ">=", 0.5, ""),
    ("hostile traffic", "idle-flows", "sweep us", "<=", 1000.0, ""),
    ("start", "", "first packet s", "<=", 0.3, ""),
    ("live, same rate", "AF_PACKET V3, 1", "cpu / libpcap", "<=", 0.8, ""),
    ("latency", "AF_PACKET V3", "p50 ms", "<", 15.0, ""),
    ("latency", "AF_PACKET V3", "p99 ms", "<", 30.0, ""),
    ("latency", "AF_PACKET V2", "p50 ms", "<", 0.2, ""),
    ("latency", "AF_PACKET V2", "p99 ms", "<", 2.0, ""),
]


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 3 if abs(value) < 10 else 1
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def by_table(rows):
    tables = {}
    for row in rows:
        tables.setdefault(row["table"], []).append(row)
    return tables


def columns(rows):
    names = []
    for row in rows:
        names += [name for name in row["figures"] if name not in names]
    return names


def cells(rows):
    """Head and lines; a figure that is not there is empty."""
    names = columns(rows)
    notes = any(row["note"] for row in rows)
    head = [""] + names + (["note"] if notes else [])
    lines = [[row["row"]] + [number(row["figures"][name]) if name in row["figures"] else "" for name in names] + ([row["note"]] if notes else [])
             for row in rows]
    return head, lines, len(names)


def as_text(rows):
    out = []
    for table, own in by_table(rows).items():
        head, lines, numbers = cells(own)
        widths = [max(len(line[i]) for line in [head] + lines) for i in range(len(head))]
        out.append(f"== {table}")
        for line in [head] + lines:
            out.append("  ".join(text.rjust(width) if 0 < i <= numbers else text.ljust(width) for i, (text, width) in enumerate(zip(line, widths))).rstrip())
        out.append("")
    return "\n".join(out)


def as_markdown(rows):
    out = []
    for table, own in by_table(rows).items():
        head, lines, _ = cells(own)
        out += [f"**{table[0].upper()}{table[1:]}**", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        out += ["| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines]
        out.append("")
    return "\n".join(out)


def judge(rows, memory):
    """A row for each goal that something was measured for. `memory`: near or far."""
    judged = []
    for table, begin, figure, relation, bound, where in GOALS:
        if where and where != memory:
            continue
        for row in rows:
            value = row["figures"].get(figure)
            if row["table"] != table or not row["row"].startswith(begin) or value is None or (table == "flow table" and value == 0):
                continue
            if table == "hostile traffic" and figure == "sweep us" and value == 0:
                continue
            met = value <= bound if relation == "<=" else value < bound if relation == "<" else value >= bound
            judged.append({"table": "goals", "row": f"{table}: {row['row']}: {figure} {relation} {number(bound)}", "figures": {"measured": value},
                           "note": "met" if met else "NOT MET"})
    return judged
