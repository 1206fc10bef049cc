"""Free text and addresses of the web: words, topics, lengths, hosts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pandas as pd

from mlcore.data.dataset import Column, Kind
from mlcore.errors import BadInput
from mlcore.features.steps.base import Learned, Made, Step, Training, Works, option, texts
from mlcore.result import Help
from mlcore.wording import several

TEXTS = {
    "tfidf": "TF-IDF, reduced to components",
    "counts": "counts of the most frequent words",
    "hashing": "hashed words",
    "topics": "topics (LDA)",
    "lengths": "number of characters and words",
}
STEMS = {"none": "no"} | {
    language: language.capitalize()
    for language in (
        "danish", "dutch", "english", "finnish", "french", "german", "italian", "norwegian", "portuguese", "romanian",
        "russian", "spanish", "swedish", "turkish",
    )
}  # fmt: skip
WORD = re.compile(r"\b\w\w+\b")
VOCABULARY = 20_000  # words at most
LEAST_ROWS = 2  # in which a word must occur, from 100 rows


@dataclass(frozen=True, kw_only=True)
class Text(Step):
    """Turn free text into numbers, by its words."""

    step: ClassVar[str] = "text"
    title: ClassVar[str] = "Free text into numbers"
    kinds: ClassVar[tuple[Kind, ...]] = ("text", "categorical", "identifier")
    help: ClassVar[Help] = Help(
        "Each text becomes numbers by the words that it has; words are those of the training rows.",
        "TF-IDF weighs a word by how rare it is, and is reduced to components by a singular value decomposition; "
        "topics group words that occur together.",
        "Words that name the outcome, such as 'refunded', leak it.",
        "Look at the words of the strongest components before you trust them.",
    )
    method: str = option("tfidf", "Method", choices=TEXTS)
    size: int = option(50, "Components, topics or words", low=1, high=1000)
    ngrams: int = option(1, "Words in a row (n-grams up to)", low=1, high=3)
    stop_words: bool = option(True, "Leave out English stop words")
    stem: str = option("none", "Reduce words to their stems", choices=STEMS)

    def takes(self, column: Column) -> bool:
        """Free text by default; categories and identifiers only by name."""
        return column.kind == "text" or (self.columns != "auto" and column.kind in self.kinds)

    @property
    def is_ready(self) -> bool:
        """TF-IDF has unit length in each row: standardising it would make the rarest words the loudest."""
        return self.method == "tfidf"

    def learn(self, training: Training) -> Learned:
        """The fitted words, and what reduces them, of each column."""
        if self.method == "lengths":
            return {}
        return {
            "models": {str(c): self.fitted_words(known_texts(training.frame[c]), training.seed) for c in training.frame}
        }

    def fitted_words(self, column: list[str], seed: int, *, reduce: bool = True) -> dict[str, Any] | None:
        """The fitted words of one column, and what reduces them to components; None if it has no word."""
        words = self._vectorizer(len(column))
        try:
            counts = words.fit_transform(self.stemmed(column))
        except ValueError:  # not one word
            return None
        if counts.shape[1] == 0:
            return None
        return {"words": words, "reduce": self._reduction(counts, seed) if reduce else None}

    def stemmed(self, column: list[str]) -> list[str]:
        """The texts with each word reduced to its stem, without stop words; unchanged without stemming.

        Raises BadInput where the library is not installed.
        """
        if self.stem == "none":
            return column
        try:
            import snowballstemmer
        except ImportError:
            raise BadInput(
                "Stemming needs snowballstemmer, which is not installed. Run `pip install 'holdout[text]'`, or leave "
                "the words as they are."
            ) from None
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        stem = cache(snowballstemmer.stemmer(self.stem).stemWord)
        left_out = ENGLISH_STOP_WORDS if self.stop_words else frozenset()
        return [" ".join(stem(w) for w in WORD.findall(text.lower()) if w not in left_out) for text in column]

    def _vectorizer(self, rows: int) -> Any:
        from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer

        shared: dict[str, Any] = {"ngram_range": (1, self.ngrams), "stop_words": "english" if self.stop_words else None}
        if self.method == "hashing":
            return HashingVectorizer(n_features=self.size, alternate_sign=False, **shared)
        least = LEAST_ROWS if rows >= 100 else 1
        if self.method == "counts":
            return CountVectorizer(max_features=self.size, min_df=least, **shared)
        kind = TfidfVectorizer if self.method == "tfidf" else CountVectorizer
        extra = {"sublinear_tf": True} if self.method == "tfidf" else {}
        return kind(max_features=VOCABULARY, min_df=least, max_df=0.95 if rows >= 20 else 1.0, **shared, **extra)

    def _reduction(self, counts: Any, seed: int) -> Any | None:
        from sklearn.decomposition import LatentDirichletAllocation, TruncatedSVD

        if self.method == "topics":
            return LatentDirichletAllocation(min(self.size, 100), random_state=seed).fit(counts)
        if self.method != "tfidf" or counts.shape[1] <= self.size:
            return None
        return TruncatedSVD(min(self.size, min(counts.shape) - 1 or 1), random_state=seed).fit(counts)

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The numbers of each text; a missing text has none of the words."""
        if self.method == "lengths":
            return {k: v for c in frame for k, v in _lengths(str(c), texts(frame[c])).items()}
        made: Made = {}
        for name, model in learned["models"].items():
            if model is None:
                continue
            values = model["words"].transform(self.stemmed(known_texts(frame[name])))
            reduced = values.toarray() if model["reduce"] is None else model["reduce"].transform(values)
            made |= {f"{name} {label}": reduced[:, i] for i, label in enumerate(self.labels(model))}
        return made

    def labels(self, model: dict[str, Any]) -> list[str]:
        """What each number of one column is, in words."""
        if model["reduce"] is None and hasattr(model["words"], "get_feature_names_out"):
            return [f"'{w}'" for w in model["words"].get_feature_names_out()]
        if model["reduce"] is None:
            return [f"hash {k}" for k in range(self.size)]
        strongest = np.abs(model["reduce"].components_).argsort(axis=1)[:, ::-1][:, :2]
        words = model["words"].get_feature_names_out()
        kind = "topic" if self.method == "topics" else "component"
        return [f"{kind} {k + 1} ({', '.join(words[i] for i in row)})" for k, row in enumerate(strongest)]

    def words(self, columns: list[str]) -> str:
        """The texts and the method."""
        size = "" if self.method == "lengths" else f", {self.size} numbers each"
        return f"{several(columns)}: {TEXTS[self.method]}{size}."


def known_texts(column: pd.Series) -> list[str]:
    """The texts of a column; a missing one is empty."""
    return [v if isinstance(v, str) else "" for v in texts(column)]


def _lengths(name: str, column: pd.Series) -> Made:
    known = column.notna()
    text = column.where(known, "").astype(str)
    characters = text.str.len().astype("float64").where(known, np.nan).to_numpy(float)
    count = text.map(lambda t: len(t.split())).astype("float64").where(known, np.nan).to_numpy(float)
    return {f"{name} characters": characters, f"{name} words": count}


@dataclass(frozen=True, kw_only=True)
class Url(Step):
    """Parts of web addresses: host, depth of the path, number of query keys."""

    step: ClassVar[str] = "url"
    title: ClassVar[str] = "Parts of web addresses"
    works: ClassVar[Works] = "row by row"
    kinds: ClassVar[tuple[Kind, ...]] = ("text", "categorical", "identifier")
    has_auto: ClassVar[bool] = False
    help: ClassVar[Help] = Help(
        "An address becomes its host, the depth of its path, and the number of its query keys.",
        "The host is a category; the others are numbers.",
        "Nothing is looked up on the web.",
        "Keep the host if sites differ.",
    )

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """Three columns of each address."""
        made: Made = {}
        for name in frame:
            parts = [_parts(v) for v in texts(frame[name])]
            hosts = pd.Series([p[0] for p in parts], index=frame.index, dtype=object)
            made |= {f"{name} host": hosts, f"{name} path depth": np.array([p[1] for p in parts], float),
                     f"{name} query keys": np.array([p[2] for p in parts], float)}  # fmt: skip
        return made

    def words(self, columns: list[str]) -> str:
        """The columns."""
        return f"{several(columns)}: replaced by host, depth of the path and number of query keys."


def _parts(address: Any) -> tuple[str | None, float, float]:
    if not isinstance(address, str):
        return None, np.nan, np.nan
    try:
        url = urlsplit(address if "//" in address else f"//{address}")
        return (url.hostname or None), len([p for p in url.path.split("/") if p]), len(parse_qsl(url.query))
    except ValueError:
        return None, np.nan, np.nan
