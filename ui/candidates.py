"""The Models page's parts: which models run, with which parameters; a person's own rule; searches; the button."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore.compare import Options
from mlcore.compare.estimate import seconds
from mlcore.compare.experiment import Candidate, Experiment
from mlcore.compare.run import Run
from mlcore.compare.search import METHODS, Search
from mlcore.dataset import Dataset, Schema
from mlcore.errors import HoldoutError
from mlcore.filters import operators_for
from mlcore.models import PRESETS, Knob, Model, of_preset
from mlcore.models import for_task as models_for_task
from mlcore.result import several
from mlcore.rules import Rule
from ui import cached, condition, jobs, shell
from ui.state import session
from ui.widgets import escape, key_of, pick, trouble

OWN = "own choice"
COST = {"quick": "green", "medium": "blue", "slow": "orange"}


def _chosen() -> list[str]:
    current = session()
    able = [m.name for m in models_for_task(current.needed_recipe().task)]
    names = current.models if current.models is not None else of_preset("standard", current.needed_recipe().task)
    return [n for n in able if n in names and n != "dummy"]


def candidates(names: list[str]) -> list[Candidate]:
    """The candidates with what was set for them. Raises BadInput."""
    current = session()
    options = Options(
        models=names, parameters={m: p for m, p in current.parameters.items() if m in names},
        rule=current.rule if "rule" in names else None,
        tune=(tuned := [n for n in current.tuned if n in names]), search=current.search if tuned else None,
    )  # fmt: skip
    return options.candidates(current.needed_recipe().task)


def chooser() -> None:
    """Presets, the catalogue as cards, and the button that says what it does."""
    current, recipe, data = session(), session().needed_recipe(), shell.dataset()
    st.subheader("Which models")
    rows = [r for r in models_for_task(recipe.task) if not r.unlabelled or _has_unlabelled(data)]
    picked = _chosen()
    sets = {p: [n for n in of_preset(p, recipe.task) if n != "dummy"] for p in PRESETS}
    standing = next((p for p, names in sets.items() if names == picked), OWN)
    given = st.segmented_control(
        "Preset", [*PRESETS, OWN], default=standing, required=True, format_func=str.capitalize,
        key=f"preset-{key_of(recipe.task, standing, *picked)}", label_visibility="collapsed",
    )  # fmt: skip
    if given not in (standing, OWN):
        current.set_models(tuple(sets[str(given)]))
        st.rerun()
    _button(picked)
    with st.container(key="candidates", gap=None):
        now = [r.name for r in rows if _card(r, r.name in picked)]
    if now != picked:
        current.set_models(tuple(now))
        st.rerun()


def _has_unlabelled(data: Dataset) -> bool:
    recipe = session().needed_recipe()
    return recipe.task != "regression" and data.schema[recipe.target].missing > 0


def _card(row: Model, on: bool) -> bool:
    """One model: whether it runs, what it costs, and its parameters folded. Returns whether it runs."""
    current, task = session(), session().needed_recipe().task
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if row.name == "dummy":
            st.checkbox(row.title, True, disabled=True, key="model-dummy", help=row.note.idea)
            return False
        title = "Your rule" if row.name == "rule" and current.rule else row.title
        chosen = st.checkbox(title, on, help=row.note.idea, key=f"model-{task}-{row.name}-{on}")
        st.space("stretch")
        if current.parameters.get(row.name):
            st.badge("changed", color="violet")
        if row.name in current.tuned:
            st.badge("search", color="blue")
        st.badge(row.cost_class, color=COST[row.cost_class])  # type: ignore[arg-type]
        asked = st.button(
            "", icon=":material/tune:", type="tertiary", key=f"about-{row.name}",
            help=f"About {row.title}, and its parameters",
        )  # fmt: skip
    if asked:
        st.dialog(row.title, width="medium", on_dismiss="rerun")(_about)(row)
    return chosen


def _about(row: Model) -> None:
    """What there is to learn about a model, its parameters and its search."""
    st.caption(f"{row.cost_class.capitalize()}; needs {row.needs}")
    parts = (("The idea", row.note.idea), ("Shines", row.note.shines), ("Fails", row.note.fails),
             ("Its knob", row.note.knob))  # fmt: skip
    for title, text in parts:
        st.markdown(f"**{title}**  \n{escape(text)}")
    if row.most_rows:
        st.caption(f"Of more than {row.most_rows:,} training rows it learns from a random sample of so many.")
    if row.name == "rule":
        _rule_form()
    elif row.knobs_of(session().needed_recipe().task):
        _knobs(row)
        _search(row)


def _knobs(row: Model) -> None:
    """The parameters as a form."""
    current, task = session(), session().needed_recipe().task
    now = {**row.defaults(task), **current.parameters.get(row.name, {})}
    with st.form(f"knobs-{row.name}", border=False):
        entered = {k.name: _input(k, now[k.name], row.name) for k in row.knobs_of(task)}
        said = st.container()  # above the buttons, where it is seen
        with st.container(horizontal=True):
            used = st.form_submit_button("Use these", type="primary")
            reset = st.form_submit_button("Defaults")
    if used or reset:
        try:
            current.set_parameters(row.name, {} if reset else row.checked(task, entered))
        except HoldoutError as error:
            with said:
                trouble(error)
            return
        st.rerun()


def _input(knob: Knob, value: Any, model: str) -> Any:
    key = f"knob-{model}-{knob.name}-{key_of(value)}"
    help_text = f"{knob.help}. {knob.allowed().capitalize()}."
    if knob.choices:
        return st.selectbox(knob.title, knob.choices, knob.choices.index(value), key=key, help=help_text)
    entered = st.number_input(
        knob.title,
        value=value if value is None else int(value) if knob.whole else float(value),
        step=1 if knob.whole else None,
        format=None if knob.whole else "%g",
        key=key,
        help=help_text,
        placeholder=knob.none or None,
    )
    return int(entered) if entered is not None and knob.whole else entered


def _search(row: Model) -> None:
    """Have the parameters looked for."""
    current, task = session(), session().needed_recipe().task
    try:
        candidate = Candidate.named(row.name, task, **current.parameters.get(row.name, {})).tuned(current.search, task)
    except HoldoutError:  # it has nothing to look for, or no more
        if row.name in current.tuned:
            current.set_search(tuple(n for n in current.tuned if n != row.name), current.search)
        return
    wanted = st.toggle(
        "Search the best parameters", row.name in current.tuned, key=f"tune-{row.name}",
        help="Inside the training rows of each fold, so that the score stays honest. Takes as many fits as trials.",
    )  # fmt: skip
    if wanted != (row.name in current.tuned):
        others = tuple(n for n in current.tuned if n != row.name)
        current.set_search((*others, row.name) if wanted else others, current.search)
    if not wanted:
        return
    now = current.search
    method = st.selectbox(
        "How", list(METHODS), list(METHODS).index(now.method), format_func=METHODS.__getitem__, key=f"how-{row.name}"
    )
    trials = int(st.number_input("Settings tried in each search", 2, 1000, now.trials, key=f"trials-{row.name}"))
    limit = float(
        st.number_input("Seconds for each search, 0 for no limit", 0, 36_000, int(now.seconds), key=f"secs-{row.name}")
    )
    changed = Search(method, trials, limit, now.folds)
    looked = several([k.name for k in candidate.space(task)], 9)
    held = "; what was set by hand stays" if current.parameters.get(row.name) else ""
    st.caption(f"Looks for {looked}{held}. About {changed.fits} fits in each fold, for each model that is searched.")
    if changed != now:
        current.set_search(current.tuned, changed)


# a person's own rule --------------------------------------------------------------------------------------------------


def _rule_form() -> None:
    """If … then … else …; each side an answer or another question."""
    current, data = session(), shell.dataset()
    features = data.schema.features()
    st.markdown("**Your rule**")
    given: dict[str, Any] = current.rule or {}
    entered = _question(given, features, "r", 0)
    rule = _whole(entered, data.schema)
    st.markdown(escape(rule.words()) if rule is not None else "Each question still needs a value to compare with.")
    with st.container(horizontal=True):
        if st.button("Use this rule", type="primary", disabled=rule is None, key="rule-use") and rule is not None:
            current.set_rule(rule.to_json())
            st.rerun()
        if current.rule is not None and st.button("Let the data find the question", key="rule-drop"):
            current.set_rule(None)
            st.rerun()


def _whole(entered: Any, schema: Schema) -> Rule | None:
    """The rule that was entered; None while a question lacks its value."""
    if not _complete(entered):
        return None
    try:
        return Rule.from_json(entered).checked(schema, _answers())
    except HoldoutError as error:
        trouble(error)
        return None


def _complete(entered: Any) -> bool:
    sides = [entered["then"], entered["else"]] if isinstance(entered, dict) else []
    return not isinstance(entered, dict) or (bool(entered["when"]) and all(map(_complete, sides)))


def _answers() -> list[str] | None:
    """The classes of the target as texts; None for a quantity."""
    from mlcore.target import load_target

    data, recipe = shell.dataset(), session().needed_recipe()
    if recipe.task == "regression":
        return None
    found: list[str] = cached.result(
        "classes", data, lambda: [str(c) for c in load_target(data, recipe.target, recipe.task).classes],
        recipe.target, recipe.task,
    )  # fmt: skip
    return found


def _question(given: dict[str, Any], features: Schema, path: str, depth: int) -> dict[str, Any]:
    """One question as inputs, as plain data; its sides may be questions again."""
    rows = given.get("when") or [[]]
    count = int(st.session_state.setdefault(f"rule-count-{path}", len(rows)))
    joined = "all"
    if count > 1:
        joined = str(st.segmented_control("If these hold", ["all", "any"], required=True, key=f"rule-any-{path}",
                                          default="any" if given.get("any") else "all"))  # fmt: skip
    when = [_condition(rows[i] if i < len(rows) else [], features, f"{path}-{i}") for i in range(count)]
    with st.container(horizontal=True):
        st.button("And also", key=f"rule-more-{path}", type="tertiary", on_click=_count, args=(path, 1))
        if count > 1:
            st.button("One less", key=f"rule-less-{path}", type="tertiary", on_click=_count, args=(path, -1))
    return {
        "when": [w for w in when if w],
        "then": _side("Then", given.get("then"), features, f"{path}t", depth),
        "else": _side("Else", given.get("else"), features, f"{path}e", depth),
        "any": joined == "any",
    }


def _count(path: str, more: int) -> None:
    st.session_state[f"rule-count-{path}"] = max(1, st.session_state[f"rule-count-{path}"] + more)


def _condition(given: list[Any], features: Schema, key: str) -> list[Any]:
    """Column, comparison, value; empty while it is not whole."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = features.names
        start = names.index(given[0]) if given and given[0] in names else 0
        name = st.selectbox("If", names, start, key=f"rule-column-{key}", format_func=lambda n: n[:40])
        offered = {o.name: o.words for o in operators_for(features[name])}
        first = list(offered).index(given[1]) if given and given[1] in offered and given[0] == name else 0
        operator = st.selectbox(
            "Comparison", list(offered), first, format_func=offered.__getitem__, key=f"rule-operator-{key}-{name}"
        )
        same = bool(given) and given[:2] == [name, operator]
        values = condition.values(
            shell.dataset(), features[name], operator, f"rule-{key}", tuple(given[2:]) if same else ()
        )
    return [] if values is None else [name, operator, *values]


def _side(title: str, given: Any, features: Schema, path: str, depth: int) -> Any:
    """An answer, or another question."""
    nested = isinstance(given, dict)
    if depth < 3:
        nested = st.toggle(f"{title}: ask another question", nested, key=f"rule-nested-{path}")
    if nested:
        with st.container(border=True):
            return _question(given if isinstance(given, dict) else {}, features, path, depth + 1)
    classes = _answers()
    if classes is None:
        return float(st.number_input(title, value=float(given) if isinstance(given, int | float) else 0.0,
                                     key=f"rule-answer-{path}"))  # fmt: skip
    start = classes.index(str(given)) if str(given) in classes else (0 if title == "Else" else len(classes) - 1)
    return st.selectbox(title, classes, start, key=f"rule-answer-{path}")


# the button -----------------------------------------------------------------------------------------------------------


def _button(picked: list[str]) -> None:
    run = cached.run()
    live = run is not None and run.progress().live
    label = f"Compare {len(picked) + 1} models" if picked else "Choose a model"
    pressed = st.button(label, type="primary", disabled=not picked or live, width="stretch", key="compare")
    if run is not None and live:
        jobs.under_way(run)
    elif picked:
        st.caption(_about_time(picked, run))
    if pressed:
        try:
            jobs.start(shell.dataset(), _experiment(picked), run)
        except HoldoutError as error:
            trouble(error)
            return
        st.rerun()


def _experiment(picked: list[str]) -> Experiment:
    current = session()
    return Experiment.plan(shell.dataset(), current.needed_recipe(), current.protocol, candidates(picked))


def _about_time(picked: list[str], run: Run | None) -> str:
    """How long it will take, about; empty when that cannot be said."""
    try:
        experiment = _experiment(picked)
        before = run if run is not None and run.progress().state == "finished" else None
        took = seconds(experiment, before)
    except HoldoutError:
        return ""
    words = f"{max(1, round(took))} s" if took < 90 else f"{round(took / 60)} min"
    return f"About {words} on this machine."


def nothing_yet() -> None:
    """What will be here."""
    with st.container(border=True):
        st.markdown(
            "The leaderboard will fill here while the models run: each with its score and interval, the ones that "
            "cannot be told apart from the best shaded, and the simplest of them marked with a star."
        )
    target = session().needed_recipe().target
    earlier = {r.id: r for r in jobs.of_these_data() if r.experiment.recipe.target == target}
    if earlier:
        chosen = str(pick("models.earlier", "Earlier comparisons of these data", list(earlier),
                          text=lambda i: jobs.said(earlier[i])))  # fmt: skip
        if st.button("Show it", key="show-earlier"):
            session().set_run(earlier[chosen].path.name)
            st.rerun()


def outdated(run: Run) -> None:
    """Say what was chosen otherwise since the run was started."""
    made, current = run.experiment, session()
    if current.recipe is None or run.progress().live:
        return
    if made.recipe.target != current.recipe.target:
        st.caption(f"This comparison predicts {escape(made.recipe.target)}. Compare again for the target chosen now.")
        return
    try:
        ours = [c.model for c in made.candidates if c.row is not None and c.model != "dummy"]
        now = Experiment.plan(shell.dataset(), current.recipe, current.protocol, candidates(ours))
    except HoldoutError:
        return
    differ = now.changed_since(made)
    if differ:
        st.caption(f"Changed since this comparison: {several(differ)}. Compare again to see what that does.")


def pick_model(name: str, run: Run, label: str = "Model") -> str:
    """A model of a run, by its title, the best first."""
    ranked = [r.model for r in run.board().rows if r.model in run.predicted()]
    titles = {c.model: c.title or c.model for c in run.experiment.candidates}
    return str(pick(name, label, ranked, next((m for m in ranked if m != "dummy"), None), text=titles.__getitem__))
