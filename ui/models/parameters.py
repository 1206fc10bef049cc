"""The description of a model, its hyperparameters as a form, and the search over them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore.errors import HoldoutError
from mlcore.experiment.candidate import Candidate
from mlcore.experiment.search import METHODS, Search
from mlcore.models.catalogue import Model
from mlcore.models.parameters import Parameter
from mlcore.wording import several
from ui.models.rule_form import rule_form
from ui.state import session
from ui.widgets import error_box, escape, key_of


def model_dialog(row: Model) -> None:
    """The description of a model, its parameters and its search."""
    st.caption(f"{row.cost_class.capitalize()}; features: {row.features}")
    parts = (("The idea", row.note.idea), ("Strengths", row.note.strengths), ("Weaknesses", row.note.weaknesses),
             ("Parameter", row.note.parameter))  # fmt: skip
    for title, text in parts:
        st.markdown(f"**{title}**  \n{escape(text)}")
    if row.most_rows:
        st.caption(f"It is trained on a random sample of at most {row.most_rows:,} training rows.")
    if row.role == "rule":
        rule_form()
    elif row.parameters_for(session().needed_recipe().task):
        _parameter_form(row)
        _search(row)


def _parameter_form(row: Model) -> None:
    """The parameters as a form."""
    current, task = session(), session().needed_recipe().task
    values = {**row.defaults(task), **current.parameters.get(row.name, {})}
    with st.form(f"knobs-{row.name}", border=False):
        inputs = {p.name: _input(p, values[p.name], row.name) for p in row.parameters_for(task)}
        messages = st.container()  # above the buttons, where it is visible
        with st.container(horizontal=True):
            submitted = st.form_submit_button("Use these", type="primary")
            reset = st.form_submit_button("Defaults")
    if submitted or reset:
        try:
            current.set_parameters(row.name, {} if reset else row.checked(task, inputs))
        except HoldoutError as error:
            with messages:
                error_box(error)
            return
        st.rerun()


def _input(parameter: Parameter, value: Any, model: str) -> Any:
    key = f"knob-{model}-{parameter.name}-{key_of(value)}"
    help_text = f"{parameter.help}. {parameter.allowed().capitalize()}."
    if parameter.choices:
        return st.selectbox(parameter.title, parameter.choices, parameter.choices.index(value), key=key, help=help_text)
    number = st.number_input(
        parameter.title,
        value=value if value is None else int(value) if parameter.whole else float(value),
        step=1 if parameter.whole else None,
        format=None if parameter.whole else "%g",
        key=key,
        help=help_text,
        placeholder=parameter.none or None,
    )
    return int(number) if number is not None and parameter.whole else number


def _search(row: Model) -> None:
    """A switch for the parameter search, and its options."""
    current, task = session(), session().needed_recipe().task
    try:
        candidate = Candidate.named(row.name, task, **current.parameters.get(row.name, {})).tuned(current.search, task)
    except HoldoutError:  # no parameter to search, or none is left
        if row.name in current.tuned:
            current.set_search(tuple(n for n in current.tuned if n != row.name), current.search)
        return
    enabled = st.toggle(
        "Search for the best parameters", row.name in current.tuned, key=f"tune-{row.name}",
        help="Within the training rows of each fold, so the score stays unbiased. Each trial needs at least one fit.",
    )  # fmt: skip
    if enabled != (row.name in current.tuned):
        others = tuple(n for n in current.tuned if n != row.name)
        current.set_search((*others, row.name) if enabled else others, current.search)
    if not enabled:
        return
    now = current.search
    method = st.selectbox(
        "Method", list(METHODS), list(METHODS).index(now.method), format_func=METHODS.__getitem__, key=f"how-{row.name}"
    )
    trials = int(st.number_input("Settings tried in each search", 2, 1000, now.trials, key=f"trials-{row.name}"))
    limit = float(
        st.number_input("Seconds for each search, 0 for no limit", 0, 36_000, int(now.seconds), key=f"secs-{row.name}")
    )
    changed = Search(method=method, trials=trials, seconds=limit, folds=now.folds)
    names = several([k.name for k in candidate.space(task)], 9)
    fixed = "; parameters set by hand stay fixed" if current.parameters.get(row.name) else ""
    st.caption(f"Searches {names}{fixed}. About {changed.fits} fits per fold for each searched model.")
    if changed != now:
        current.set_search(current.tuned, changed)
