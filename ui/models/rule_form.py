"""A form for the user's rule: if … then … else …, nested."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore.data.dataset import Schema
from mlcore.data.filters import operators_for
from mlcore.errors import HoldoutError
from mlcore.models.rules import Rule
from mlcore.validation.target import load_target
from ui import cached, filter_form, shell
from ui.state import session
from ui.widgets import error_box, escape

# the user's rule ------------------------------------------------------------------------------------------------------


def rule_form() -> None:
    """If … then … else …; each side is an answer or another rule."""
    current, data = session(), shell.dataset()
    features = data.schema.features()
    st.markdown("**Your rule**")
    rule_data: dict[str, Any] = current.rule or {}
    inputs = _rule_inputs(rule_data, features, "r", 0)
    rule = _checked_rule(inputs, data.schema)
    st.markdown(escape(rule.words()) if rule is not None else "Each condition still needs a value.")
    with st.container(horizontal=True):
        if st.button("Use this rule", type="primary", disabled=rule is None, key="rule-use") and rule is not None:
            current.set_rule(rule.to_json())
            st.rerun()
        if current.rule is not None and st.button("Use a decision stump instead", key="rule-drop"):
            current.set_rule(None)
            st.rerun()


def _checked_rule(inputs: Any, schema: Schema) -> Rule | None:
    """The rule as entered; None while a condition has no value."""
    if not _is_complete(inputs):
        return None
    try:
        return Rule.from_json(inputs).checked(schema, _classes())
    except HoldoutError as error:
        error_box(error)
        return None


def _is_complete(inputs: Any) -> bool:
    sides = [inputs["then"], inputs["else"]] if isinstance(inputs, dict) else []
    return not isinstance(inputs, dict) or (bool(inputs["when"]) and all(map(_is_complete, sides)))


def _classes() -> list[str] | None:
    """The classes of the target as texts; None for a continuous target."""
    data, recipe = shell.dataset(), session().needed_recipe()
    if recipe.task == "regression":
        return None
    classes: list[str] = cached.result(
        "classes", data,
        lambda: [str(c) for c in load_target(data, recipe.target, recipe.task, recipe.positive).classes],
        recipe.target, recipe.task, recipe.positive or "",
    )  # fmt: skip
    return classes


def _rule_inputs(rule_data: dict[str, Any], features: Schema, path: str, depth: int) -> dict[str, Any]:
    """Inputs for one rule, returned as plain data; each side may be another rule."""
    conditions = rule_data.get("when") or [[]]
    count = int(st.session_state.setdefault(f"rule-count-{path}", len(conditions)))
    combination = "all"
    if count > 1:
        combination = str(st.segmented_control("Must hold", ["all", "any"], required=True, key=f"rule-any-{path}",
                                               default="any" if rule_data.get("any") else "all"))  # fmt: skip
    when = [_condition(conditions[i] if i < len(conditions) else [], features, f"{path}-{i}") for i in range(count)]
    with st.container(horizontal=True):
        st.button("Add condition", key=f"rule-more-{path}", type="tertiary", on_click=_change_count, args=(path, 1))
        if count > 1:
            st.button("Remove", key=f"rule-less-{path}", type="tertiary", on_click=_change_count, args=(path, -1))
    return {
        "when": [w for w in when if w],
        "then": _side("Then", rule_data.get("then"), features, f"{path}t", depth),
        "else": _side("Else", rule_data.get("else"), features, f"{path}e", depth),
        "any": combination == "any",
    }


def _change_count(path: str, more: int) -> None:
    st.session_state[f"rule-count-{path}"] = max(1, st.session_state[f"rule-count-{path}"] + more)


def _condition(condition: list[Any], features: Schema, key: str) -> list[Any]:
    """Column, comparison, value; empty while it is incomplete."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = features.names
        start = names.index(condition[0]) if condition and condition[0] in names else 0
        name = st.selectbox("If", names, start, key=f"rule-column-{key}", format_func=lambda n: n[:40])
        operators = {o.name: o.words for o in operators_for(features[name])}
        first = (
            list(operators).index(condition[1])
            if condition and condition[1] in operators and condition[0] == name
            else 0
        )
        operator = st.selectbox(
            "Comparison", list(operators), first, format_func=operators.__getitem__, key=f"rule-operator-{key}-{name}"
        )
        is_same = bool(condition) and condition[:2] == [name, operator]
        values = filter_form.values(
            shell.dataset(), features[name], operator, f"rule-{key}", tuple(condition[2:]) if is_same else ()
        )
    return [] if values is None else [name, operator, *values]


def _side(title: str, side: Any, features: Schema, path: str, depth: int) -> Any:
    """An answer, or another rule."""
    nested = isinstance(side, dict)
    if depth < 3:
        nested = st.toggle(f"{title}: another rule", nested, key=f"rule-nested-{path}")
    if nested:
        with st.container(border=True):
            return _rule_inputs(side if isinstance(side, dict) else {}, features, path, depth + 1)
    classes = _classes()
    if classes is None:
        return float(st.number_input(title, value=float(side) if isinstance(side, int | float) else 0.0,
                                     key=f"rule-answer-{path}"))  # fmt: skip
    start = classes.index(str(side)) if str(side) in classes else (0 if title == "Else" else len(classes) - 1)
    return st.selectbox(title, classes, start, key=f"rule-answer-{path}")
