"""Further views of the Explain page: what if this row were otherwise, and the model as a whole."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore.errors import HoldoutError
from mlcore.explain.dependence import dependence
from mlcore.explain.neighbours import neighbours
from mlcore.explain.subject import Subject
from mlcore.explain.whatif import counterfactuals, what_if
from mlcore.run import Run
from mlcore.runs.study import Study
from ui import cached
from ui.models.model_detail import study
from ui.state import session
from ui.widgets import error_box, escape, key_of, multiselect, select, show

MOST_FIELDS = 30  # columns in the form of a row
KINDS = {"partial dependence": "partial", "accumulated local effects": "local"}


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _subject(run: Run, model: str, row: int) -> Subject:
    return Subject.of(run, model, row)


def what_if_view(run: Run, model: str, row: int) -> None:
    """The row as a form, the prediction with other values, the smallest changes that turn it, and rows like it."""
    try:
        subject = _subject(run, model, row)
    except HoldoutError as error:
        error_box(error)
        return
    changes = _form(subject, row)
    try:
        result = what_if(subject, changes)
    except HoldoutError as error:
        error_box(error)
        return
    st.subheader("With these values" if changes else "As it is")
    show(lambda: result, f"what-if-{model}-{row}", chart=False)
    _variants(changes, result.sentence(), row)
    st.subheader("What would turn it")
    names = list(subject.frame.columns)
    fixed = multiselect("explain.fixed", "Columns that cannot change", names, [])
    show(
        lambda: cached.of_run("counterfactuals", run, lambda: counterfactuals(subject, fixed=fixed), model, row,
                              tuple(fixed)),
        f"counterfactuals-{model}-{row}", chart=False,
    )  # fmt: skip
    st.subheader("Rows like it")
    try:
        near = cached.of_run("neighbours", run, lambda: neighbours(subject, 5), model, row)
    except HoldoutError as error:
        error_box(error)
        return
    st.dataframe(near.frame(), hide_index=True, key=f"near-{row}")
    show(lambda: near, f"neighbours-{model}-{row}", chart=False)


def _form(subject: Subject, row: int) -> dict[str, str]:
    """An input for each column of the row; what differs from the row is a change."""
    names = list(subject.frame.columns)[:MOST_FIELDS]
    changes: dict[str, str] = {}
    columns = st.columns(3)
    for place, name in enumerate(names):
        text, choices = subject.text(name, subject.own(name)), subject.choices(name)
        key = f"field-{row}-{key_of(name)}"
        with columns[place % 3]:
            if choices:
                value = st.selectbox(escape(name), choices, 0, key=key, format_func=lambda v: v or "missing")
            else:
                value = st.text_input(escape(name), text, key=key, help=subject.range_words(name))
        if value != text:
            changes[name] = value
    if len(subject.frame.columns) > MOST_FIELDS:
        st.caption(f"The first {MOST_FIELDS} of {len(subject.frame.columns)} columns; the others stay.")
    return changes


def _variants(changes: dict[str, str], sentence: str, row: int) -> None:
    """Keep variants of a row, to compare them."""
    name = f"explain.variants-{row}"
    kept: list[str] = session().choices.get(name, [])
    with st.container(horizontal=True):
        if changes and st.button("Keep this variant", key=f"keep-{row}"):
            session().choose(name, [*kept, sentence][-5:])
            st.rerun()
        if kept and st.button("Forget all variants", key=f"forget-{row}"):
            session().choose(name, [])
            st.rerun()
    for one in kept:
        st.markdown(f"- {escape(one)}")


def model_view(run: Run, model: str, row: int) -> None:
    """Which columns the model needs, and how its answer depends on one."""
    st.subheader("Which columns it needs")
    candidate = run.experiment.candidate(model)
    if candidate.is_blend:
        st.caption("A blend has no fits of its own. Look at its members.")
    else:
        st.caption(
            "Each column is shuffled among test rows of the folds, which the model was not trained on. It is fitted "
            "again for this."
        )
        study(run, Study(kind="importance", model=model), "Measure the columns")
    st.subheader("How its answer depends on a column")
    left, right = st.columns(2)
    names = run.experiment.schema.features().names
    with left:
        column = str(select("explain.column", "Column", names))
    with right:
        kind: Any = KINDS[str(select("explain.dependence", "As", list(KINDS)))]
    show(
        lambda: cached.of_run("dependence", run, lambda: dependence(_subject(run, model, row), column, kind), model,
                              row, column, kind),
        f"dependence-{model}-{column}-{kind}",
    )  # fmt: skip
