"""A profile as one HTML file: no scripts, no requests, light and dark mode, all text from the data escaped."""

from __future__ import annotations

from html import escape

from mlcore import explore
from mlcore.data.dataset import Dataset
from mlcore.errors import NotApplicable
from mlcore.explore.missingness import Missing
from mlcore.explore.multivariate import Correlations
from mlcore.explore.profile import ColumnProfile, Profile
from mlcore.explore.shapes import PlotOptions
from mlcore.explore.univariate import Histogram
from mlcore.explore.view import View
from mlcore.result import Alert, Help, Result
from mlcore.wording import count_of, day, number, percent, share, shortened

MOST_PICTURES = 60  # columns with a plot
WIDTH, HEIGHT = 300, 84
CARD = ("What it is", "How it is found", "Why it matters", "What to do")

STYLE = """
:root { color-scheme: light dark; --ink: #1b2430; --ground: #fff; --soft: #5a626e; --line: #dde2ea; --mark: #2f5fd0;
  --pale: #f4f6fa; --high: #b3261e; --medium: #94490a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf1; --ground: #12161d; --soft: #a3acba; --line: #303846;
  --mark: #8fb1ff; --pale: #1b212b; --high: #ff8a80; --medium: #f2a765; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 1080px;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
h3 { font-size: 1rem; margin: 0; } p { margin: .3rem 0; } .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n { text-align: right; } .wide { overflow-x: auto; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; } summary { cursor: pointer; }
.high::marker, .high b { color: var(--high); } .medium b { color: var(--medium); } .low b { color: var(--soft); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(310px, 1fr)); gap: 1rem; }
.card { border: 1px solid var(--line); border-radius: 6px; padding: .8rem; }
img { max-width: 760px; width: 100%; background: #fff; }
svg { display: block; width: 100%; height: auto; } svg rect { fill: var(--mark); } svg text { fill: var(--soft); }
td.cell { text-align: right; color: #1b2430; }
"""


def profile_html(profile: Profile) -> str:
    """The report of a profile: one HTML page that makes no request to any other address.

    >>> profile_html(mlcore.profile(data)).startswith("<!doctype html>")
    True
    """
    data = profile.dataset
    parts = [
        f"<h1>{escape(data.name)}</h1>",
        f"<p>{escape(profile.sentence())}</p>",
        f'<p class="soft">{escape(data.reading.words())}.</p>',
        *(f'<p class="soft">{escape(note)}</p>' for note in data.reading.notes),
        _alerts(profile.alerts),
        _columns(profile),
        _plots(data, profile),
        _missing_values(data),
        _associations(data),
        f'<p class="soft">Made by Holdout from {number(data.rows)} rows; fingerprint {escape(data.fingerprint)}.</p>',
    ]
    return page(f"{data.name}: profile", "".join(parts))


def page(title: str, body: str) -> str:
    """A whole HTML page that may load nothing but images inside itself; `title` is escaped here, `body` is HTML."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>"
    )


def _alerts(alerts: tuple[Alert, ...]) -> str:
    if not alerts:
        return "<h2>Nothing stands out</h2>"
    rows = []
    for alert in alerts:
        card = _card(alert.help) if alert.help is not None else ""
        rows.append(
            f'<details class="{alert.severity}"><summary><b>{alert.severity}</b> {escape(alert.text)}</summary>'
            f"{_details(alert)}{card}</details>"
        )
    count = len(alerts)
    return f"<h2>{count_of(count, 'thing')} to look at</h2>{''.join(rows)}"


def _details(alert: Alert) -> str:
    """What each column of a finding has."""
    return f"<ul>{''.join(f'<li>{escape(p.text)}</li>' for p in alert.parts)}</ul>" if alert.parts else ""


def _card(help_: Help) -> str:
    texts = (help_.what, help_.read, help_.misleads, help_.do)
    return "".join(f"<p><i>{t}.</i> {escape(text)}</p>" for t, text in zip(CARD, texts, strict=True))


def _columns(profile: Profile) -> str:
    head = "".join(f"<th>{t}</th>" for t in ("Column", "Kind", "Role", "Missing", "Distinct", "Typical", "Range"))
    body = "".join(_row(c, profile.rows) for c in profile.columns)
    return f'<h2>Columns</h2><div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(column: ColumnProfile, rows: int) -> str:
    missing = percent(column.missing, rows, 1) if column.missing and rows else "0"
    distinct = f"{'≈ ' if column.estimated else ''}{column.distinct:,}"
    return (
        f"<tr><td>{escape(shortened(column.name))}</td><td>{column.kind}</td><td>{column.role}</td>"
        f'<td class="n">{missing}</td><td class="n">{distinct}</td><td>{escape(shortened(column.typical()))}</td>'
        f"<td>{escape(shortened(column.spread()))}</td></tr>"
    )


def _plots(data: Dataset, profile: Profile) -> str:
    """One histogram or bar chart per column."""
    split = explore.default_split(data)
    cards = []
    for column in profile.columns[:MOST_PICTURES]:
        try:
            options = PlotOptions(split if split != column.name else None, bins=24)
            result: Result = explore.one(View(data), column.name, options)
        except NotApplicable:
            continue
        plot = _histogram(result) if isinstance(result, Histogram) else ""
        name, text = escape(shortened(column.name)), escape(result.sentence())
        cards.append(f'<div class="card"><h3>{name}</h3>{plot}<p>{text}</p></div>')
    remaining = len(profile.columns) - MOST_PICTURES
    note = f'<p class="soft">{remaining:,} more columns are not plotted here.</p>' if remaining > 0 else ""
    return f'<h2>Distributions</h2><div class="grid">{"".join(cards)}</div>{note}'


def _histogram(histogram: Histogram) -> str:
    totals = histogram.counts.sum(axis=0)
    highest, bars = max(int(totals.max()), 1), len(totals)
    width = WIDTH / bars
    rectangles = "".join(
        f'<rect x="{i * width + 0.5:.1f}" y="{HEIGHT - 16 - 64 * n / highest:.1f}" width="{max(width - 1, 0.5):.1f}" '
        f'height="{64 * n / highest:.1f}"><title>{int(n):,} rows</title></rect>'
        for i, n in enumerate(totals)
    )
    if histogram.levels:
        ends = (histogram.levels[0], histogram.levels[-1] if bars > 1 else "")
    elif histogram.dates:
        ends = (day(float(histogram.edges[0])), day(float(histogram.edges[-1])))
    else:
        half = (
            0.5 if histogram.edges[0] % 1 == 0.5 and histogram.edges[1] - histogram.edges[0] == 1 else 0.0
        )  # one bar per whole number
        ends = (number(float(histogram.edges[0]) + half), number(float(histogram.edges[-1]) - half))
    labels = (
        f'<text x="0" y="{HEIGHT - 2}" font-size="11">{escape(shortened(ends[0], 22))}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 2}" font-size="11" text-anchor="end">{escape(shortened(ends[1], 22))}</text>'
    )
    alt = escape(histogram.sentence(), quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{alt}">{rectangles}{labels}</svg>'


def _missing_values(data: Dataset) -> str:
    missing: Missing = explore.missing(data)
    rows = "".join(
        f'<tr><td>{escape(shortened(c))}</td><td class="n">{escape(share(m, missing.rows))}</td></tr>'
        for c, m in list(zip(missing.columns, missing.missing, strict=True))[:40]
    )
    return f"<h2>Missing values</h2><p>{escape(missing.sentence())}</p><table>{rows}</table>"


def _associations(data: Dataset) -> str:
    try:
        correlations: Correlations = explore.correlations(data, "association")
    except NotApplicable:
        return ""
    head = "".join(f"<th>{escape(shortened(n, 14))}</th>" for n in correlations.names)
    rows = []
    for name, values in zip(correlations.names, correlations.values, strict=True):
        cells = "".join(_cell(float(v)) for v in values)
        rows.append(f"<tr><th>{escape(shortened(name, 22))}</th>{cells}</tr>")
    return (
        f"<h2>Associations</h2><p>{escape(correlations.sentence())}</p>"
        f'<div class="wide"><table><tr><th></th>{head}</tr>{"".join(rows)}</table></div>'
    )


def _cell(value: float) -> str:
    if value != value:  # noqa: PLR0124 - not a number
        return "<td></td>"
    colour = "47, 95, 208" if value >= 0 else "224, 122, 31"
    shade = f"color-mix(in srgb, rgb({colour}) {abs(value) * 60:.0f}%, #fff)"
    return f'<td class="cell" style="background: {shade}">{value:.2f}</td>'.replace("-0", "−0")
