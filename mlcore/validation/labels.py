"""Labels as people write them: which of two a question is about, and which spellings are one label."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlcore.data.column_stats import MOST_FOLDED, folded
from mlcore.result import Array

# Labels that name an event, and those that name its absence, in the main languages.
EVENTS = frozenset(
    {
        "yes", "true", "1", "y", "t", "pos", "positive", "+", "ja", "oui", "si", "sí", "sim", "да", "tak", "evet", "是",
        "fraud", "fraudulent", "scam", "spam", "phishing", "attack", "malicious", "malware", "anomaly", "anomalous",
        "abnormal", "outlier", "disease", "diseased", "sick", "ill", "infected", "malignant", "cancer", "tumor",
        "tumour", "case", "patient", "affected", "dead", "died", "death", "deceased", "event", "fail", "failed",
        "failure", "fault", "faulty", "defect", "defective", "broken", "bad", "churn", "churned", "left", "leaver",
        "exited", "lost", "default", "defaulted", "delinquent", "late", "delayed", "cancelled", "canceled", "returned",
        "won", "win", "bought", "purchased", "sold", "converted", "clicked", "click", "subscribed", "accepted",
        "responded", "present", "krank", "malade", "enfermo", "defekt", "betrug", "suspicious", "high-risk", "risky",
        "toxic", "hit",
    }
)  # fmt: skip
ABSENCES = frozenset(
    {
        "no", "false", "0", "n", "f", "-1", "neg", "negative", "-", "nein", "non", "não", "нет", "nie", "hayır", "否",
        "none", "legit", "legitimate", "genuine", "ham", "benign", "normal", "healthy", "well", "control", "controls",
        "uninfected", "unaffected", "alive", "living", "good", "ok", "okay", "pass", "passed", "intact", "stay",
        "stayed", "staying", "retained", "active", "paid", "current", "absent", "gesund", "sain", "sano", "safe",
        "inlier", "clean",
    }
)  # fmt: skip
LETTERS = ({"y", "n"}, {"t", "f"}, {"j", "n"}, {"o", "n"}, {"s", "n"})
NEGATION = re.compile(r"(not?|non|un|without|nicht|kein|pas|sin)[ _-]?")


def positive_class(labels: Sequence[str], counts: Sequence[int]) -> str:
    """The class of two that a question is about: the event rather than its absence by its name, else the rarer.

    >>> positive_class(["No", "Yes"], [2, 9]), positive_class(["disease", "healthy"], [9, 2])
    ('Yes', 'disease')
    >>> positive_class(["A", "B"], [3, 97]), positive_class(["0", "1"], [1, 9])
    ('A', '1')
    >>> positive_class(["churn", "no churn"], [9, 1])
    'churn'
    """
    scores = [_names_event(label, labels) for label in labels]
    rarity = [-c for c in counts]
    return max(zip(scores, rarity, range(len(labels)), labels, strict=True))[-1]


def _names_event(label: str, labels: Sequence[str]) -> int:
    """1 if a label names an event, −1 if it names its absence, 0 if it does neither."""
    text = folded(label)
    number = _float(text)
    if number is not None and all(_float(folded(other)) is not None for other in labels):
        return -1 if number <= 0 else 0
    if len(text) == 1 and text.isalpha() and {folded(o) for o in labels} not in LETTERS:
        return 0  # F and M, or A and B
    if text in EVENTS:
        return 1
    negated = NEGATION.match(text) and any(folded(o) in text and folded(o) != text for o in labels)
    if text in ABSENCES or negated:
        return -1
    words = re.split(r"[^\w+-]+", text)
    return 1 if words[0] in EVENTS else -1 if words[0] in ABSENCES else 0


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def one_spelling(labels: Array) -> Array:
    """(n,) texts in which the spellings of one label, such as Yes, YES and yes, are the most common of them."""
    codes, spellings = pd.factorize(labels, sort=True)
    if len(spellings) > MOST_FOLDED:
        return labels
    best: dict[str, int] = {}
    for i in np.argsort(-np.bincount(codes), kind="stable"):
        best.setdefault(folded(spellings[i]), int(i))
    return np.asarray(spellings[[best[folded(s)] for s in spellings]][codes], dtype=object)
