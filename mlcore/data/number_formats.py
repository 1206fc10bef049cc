"""How people write numbers: separators, one unit, exponents, signs in front, behind or in brackets, and durations.

Each way is a pattern in Python, to recognise it, and SQL, to read a column with it; both are made of the same pieces.
"""

from __future__ import annotations

import re

MINUS = "−–﹣－-"  # the minus sign, the en dash, two wide forms, the hyphen; it ends a character class
SPACE = " \u00a0\u202f\u2009"
# Common ISO 4217 codes; accepting any three letters would turn article codes into numbers.
CODES = (
    "AED AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW MAD MXN MYR NGN NOK "
    "NZD PEN PHP PKR PLN RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD UYU VND ZAR"
)
WORDS = "US$ CA$ AU$ NZ$ HK$ NT$ MX$ R$ C$ A$ S$ RM Rs. Rs Rp Fr. SFr. kr. kr zł Kč Ft lei лв. руб. р. S/"
SIGNS = "€$£¥₹₩₽₺₫₴₦₱₪฿₲₡₵₸₼₾¢"
UNIT = "|".join([*map(re.escape, WORDS.split()), *CODES.split(), f"[{SIGNS}]"])
# Measures, which stand behind a number; a single letter only after a blank, as 12S may be a size.
MEASURES = (
    "kg mg lbs lb oz km cm mm µm nm ft mi ml mL cl dl hl min ms °C °F kW kWh MW mV mA kHz MHz GHz Hz kB MB GB TB hPa "
    "kPa Pa bar mph km/h kmh m/s m² m2 m³ m3 km² ha mg/dL mg/dl mmol/L mmol/l g/dL g/L ng/mL µg/L ppm ppb dB dBm px "
    "years yrs days hours hrs pcs Stk"
)
MEASURE = "|".join([*map(re.escape, MEASURES.split()), *(f"[{SPACE}]{letter}" for letter in "gtmlLhsKWVA")])
AFTER = f"%|‰|{UNIT}|{MEASURE}"
DEBIT = ("CR", "DR", "Cr", "Dr", "cr", "dr", "S", "H")  # credit and debit; Soll and Haben
NEGATIVE = ("DR", "Dr", "dr", "S")  # what is owed counts as negative, as on a statement of account
# Thousands have one separator throughout and three digits per group (after commas also two, as in India).
DIGITS = (
    rf"(?:[1-9]\d{{0,2}}(?P<part>[{SPACE}.'’])\d{{3}}(?:(?P=part)\d{{3}}){{0,4}}|[1-9]\d{{0,2}}(?:,\d{{2,3}})*,\d{{3}}"
    r"|0|[1-9]\d*)(?:(?!(?P=part))[.,]\d+)?|[.,]\d+"
)
PLAIN_NUMBER = re.compile(
    rf"[+{MINUS}]?(?P<before>{UNIT})?[{SPACE}]?[{MINUS}]?(?:{DIGITS})(?P<exponent>[eE][-+−]?\d{{1,3}})?[{SPACE}]?"
    rf"(?P<after>{AFTER})?[{SPACE}]?(?P<side>[+{MINUS}]|{'|'.join(DEBIT)})?"
)
IN_BRACKETS = re.compile(r"\(([^()-]+)\)")  # how accountants write negative numbers
ADDRESS = re.compile(r"\d+(?:\.\d+){3,}")  # an IP address or a version, never a number
DURATION = re.compile(r"([-−])?(?:(\d+) days?,? )?(\d{1,5}):([0-5]\d):([0-5]\d(?:[.,]\d{1,9})?)")
DURATIONS = "h:mm:ss"  # the name of this way of writing, as stored with a column


def number_parts(text: str) -> re.Match[str] | None:
    """The parts of a number with separators, one unit, a sign or brackets; None for other texts."""
    stripped = text.strip()
    inside = IN_BRACKETS.fullmatch(stripped)
    return None if ADDRESS.fullmatch(stripped) else PLAIN_NUMBER.fullmatch(inside[1].strip() if inside else stripped)


def plain_number(text: str, parse: str) -> str:
    """The digits of a number as a person wrote it; other texts are returned unchanged. `parse` is its decimal mark, or
    DURATIONS.

    >>> plain_number("1.234,50 €", ","), plain_number("(1,200)", "."), plain_number("see note 3", ".")
    ('1234.50', '-1200', 'see note 3')
    >>> plain_number("5,5E-07", ","), plain_number("12.50 DR", "."), plain_number("1:00:30", DURATIONS)
    ('5.5E-07', '-12.50', '3630.0')
    """
    if parse == DURATIONS:
        return str(seconds(text)) if DURATION.fullmatch(text.strip()) else text
    parts = number_parts(text)
    if parts is None:
        return text
    exponent = (parts["exponent"] or "").replace("−", "-")
    body = parts.string[: parts.start("exponent")] if exponent else parts.string
    for unit in (parts["before"], parts["after"]):
        body = body.replace(unit, "") if unit else body  # units may hold points
    digits = re.sub(rf"[^0-9{re.escape(parse)}]", "", body).replace(",", ".")
    return f"{'-' if _is_negative(text.strip(), parts['side']) else ''}{digits}{exponent}"


def _is_negative(text: str, side: str | None) -> bool:
    if text.startswith("(") or side in NEGATIVE or (side is not None and side in MINUS):
        return True
    return any(c in MINUS for c in text[: re.search(r"\d", text).start()])  # type: ignore[union-attr]


def seconds(text: str) -> float:
    """The seconds of a duration written as h:mm:ss.

    >>> seconds("1:12:00"), seconds("1 day, 1:12:00"), seconds("-0:00:30.5")
    (4320.0, 90720.0, -30.5)
    """
    parts = DURATION.fullmatch(text.strip())
    if parts is None:
        return float("nan")
    sign, days, hours, minutes, rest = parts.groups()
    total = 86_400 * int(days or 0) + 3600 * int(hours) + 60 * int(minutes) + float(rest.replace(",", "."))
    return -total if sign else total


# the same in SQL: {c} stands for the trimmed text ---------------------------------------------------------------------


def number_sql(mark: str, unit: tuple[str, str] | None = None) -> str:
    """SQL of a number with this decimal mark and a unit before or after it (any by default)."""
    before, after = (f"(?:{UNIT})?", f"(?:{AFTER})?") if unit is None else tuple(map(re.escape, unit))
    thousands = rf"(?:(?:,\d{{2,3}})*,\d{{3}}|(?:[{SPACE}'’]\d{{3}})+)" if mark == "." else rf"(?:[{SPACE}.'’]\d{{3}})+"
    digits = rf"(?:[1-9]\d{{0,2}}{thousands}|0|[1-9]\d*)(?:[{mark}]\d+)?|[{mark}]\d+"
    number = rf"((?:{digits})(?:[eE][-+−]?\d{{1,3}})?)"
    side = rf"([+{MINUS}]|{'|'.join(DEBIT)})?"
    plain = rf"[+{MINUS}]?{before}[{SPACE}]?[{MINUS}]?{number}[{SPACE}]?{after}[{SPACE}]?{side}"
    brackets = rf"\({SPACE_ANY}{before}[{SPACE}]?{number}[{SPACE}]?{after}{SPACE_ANY}\)"
    before_digits = rf"^\(|^[^0-9]*[{MINUS}]"
    behind = ", ".join(map(_sql, (*MINUS, *NEGATIVE)))  # read as its own part: a unit such as KES ends in S too
    body = " || ".join(f"regexp_extract({{c}}, {_sql(f'^(?:{way})$')}, 1)" for way in (plain, brackets))
    cleaned = f"replace(regexp_replace(({body}), '[^0-9eE{mark}−+-]', '', 'g'), '−', '-')"
    if mark == ",":
        cleaned = f"replace({cleaned}, ',', '.')"
    value = f"TRY_CAST({cleaned} AS DOUBLE)"
    sign_behind = f"regexp_extract({{c}}, {_sql(f'^(?:{plain})$')}, 2) IN ({behind})"
    is_negative = f"regexp_matches({{c}}, {_sql(before_digits)}) OR {sign_behind}"
    return f"CASE WHEN {is_negative} THEN -{value} ELSE {value} END"


SPACE_ANY = rf"[{SPACE}]*"
# A text that is no duration gives NULL in its first part, and so as a whole.
DURATION_SQL = (
    "(CASE WHEN {c}[1] IN ('-', '−') THEN -1 ELSE 1 END) * ("
    "CASE WHEN regexp_full_match({c}, '[-−]?(?:\\d+ days?,? )?\\d{1,5}:[0-5]\\d:[0-5]\\d(?:[.,]\\d{1,9})?') "
    "THEN 0.0 END"
    " + 86400 * coalesce(TRY_CAST(regexp_extract({c}, '(\\d+) day', 1) AS DOUBLE), 0)"
    " + 3600 * TRY_CAST(regexp_extract({c}, '(\\d+):\\d\\d:', 1) AS DOUBLE)"
    " + 60 * TRY_CAST(regexp_extract({c}, ':(\\d\\d):', 1) AS DOUBLE)"
    " + TRY_CAST(replace(regexp_extract({c}, ':(\\d\\d(?:[.,]\\d+)?)$', 1), ',', '.') AS DOUBLE))"
)


def _sql(pattern: str) -> str:
    return "'" + pattern.replace("'", "''") + "'"
