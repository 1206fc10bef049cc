from __future__ import annotations

import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_validate

import mlcore
from mlcore import Candidate
from mlcore.errors import BadChoice, BadInput, CannotRead
from mlcore.experiment.experiment import Experiment
from mlcore.models import storage
from mlcore.runs.context import context
from tests.helpers import compare_here, frame_here, others, tiny_frame


def test_own_estimators_are_candidates():
    from sklearn.ensemble import GradientBoostingClassifier

    data = frame_here(tiny_frame("binary", 90), "own")
    own = Candidate.of("mine", GradientBoostingClassifier(n_estimators=10, random_state=0))
    run = compare_here(data, target="two", models=[own, "logistic"], folds=3, repeats=1)
    assert {r.model: r.status for r in run.board().rows} == {"mine": "ok", "logistic": "ok", "dummy": "ok"}
    assert set(run.model("mine").classes_) == {"no", "yes"}
    theirs = [
        Candidate.of("random_forest", GradientBoostingClassifier(n_estimators=5)),
        Candidate.of("dummy", own.estimator),
    ]
    run = compare_here(data, target="two", models=theirs, folds=3, repeats=1)
    assert [c.digest != "" for c in run.experiment.candidates] == [False, True]  # the baseline stays what it is
    with pytest.raises(BadInput, match="cannot name"):
        Candidate.of("my model", GradientBoostingClassifier())
    with pytest.raises(BadChoice, match="Did you mean 'tree'"):
        Candidate.of("mine", GradientBoostingClassifier(), family="trees")


def test_a_regressor_is_no_candidate_for_classes(mixed):
    from sklearn.linear_model import Ridge

    with pytest.raises(BadInput, match="'mine' is a regressor"):
        compare_here(mixed, "two", models=[Candidate.of("mine", Ridge())])


def test_a_written_rule_for_a_quantity_predicts_when_it_is_loaded(mixed):
    rule = {"when": [["b", "from", 25]], "then": 12, "else": 9.5}
    run = compare_here(mixed, "amount", ignore=others("regression"), models=["ridge"], rule=rule, folds=3, repeats=1)
    frame = mixed.frame()
    np.testing.assert_array_equal(run.model("rule").predict(frame), np.where(frame["b"] >= 25, 12.0, 9.5))


def test_own_estimators_see_the_columns_that_they_ask_for(mixed):
    """A Pipeline of one's own is scored as scikit-learn scores it; a forest sees codes, missing cells left."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    whole = make_pipeline(make_column_transformer((SimpleImputer(), ["a", "b"])), LogisticRegression())
    forest = ExtraTreesClassifier(5, random_state=0)
    models = [Candidate.of("mine", whole, family="raw"), Candidate.of("forest", forest, family="tree")]
    run = compare_here(mixed, "two", models=models, ignore=others("binary"), folds=3, repeats=1, race=True)
    assert Experiment.from_json(run.experiment.to_json()) == run.experiment
    shared = context(str(run.path))
    frame, y = mixed.frame().iloc[shared.plan.train], shared.y
    splits = [(f.train, f.test) for f in shared.plan.folds]
    found = cross_validate(whole, frame, y, cv=splits, scoring="roc_auc")["test_score"]
    np.testing.assert_allclose(run.board().row("mine").folds, found, atol=1e-12)
    assert run.model("forest")[-1].estimator_.n_features_in_ == len(shared.schema)
    assert set(run.model("mine").predict(mixed.frame().head(5))) <= {"no", "yes"}


@pytest.mark.parametrize("function", [pd.read_pickle, mlcore.read, np.save])
def test_functions_in_a_model_file_are_refused(tmp_path, function):
    """A run folder may come from anybody: a function that is called while predicting could do anything."""
    from sklearn.preprocessing import FunctionTransformer

    storage.dump(FunctionTransformer(function), tmp_path / "m.skops")
    with pytest.raises(CannotRead, match="not trusted"):
        storage.load(tmp_path / "m.skops")


def test_own_classifiers_without_probabilities_and_twice_the_same():
    from sklearn.linear_model import RidgeClassifier

    data = frame_here(tiny_frame("binary", 90), "ridge")
    own = Candidate.of("ridge_classifier", RidgeClassifier())
    run = compare_here(data, target="two", models=[own], folds=3, repeats=1)
    row = next(r for r in run.board().rows if r.model == "ridge_classifier")
    assert row.status == "ok"
    assert row.metrics["log_loss"] is None
    assert not hasattr(run.model("ridge_classifier"), "predict_proba")
    with pytest.raises(BadInput, match="more than once"):
        compare_here(data, target="two", models=["knn", "knn"])


# files that wish us ill -----------------------------------------------------------------------------------------------

CONTENTS = {
    "ConstructorFromReduceNode": {
        "__class__": "TupleNode",
        "__module__": "builtins",
        "__loader__": "TupleNode",
        "content": [],
    },
    "FunctionNode": {"module_path": "os", "function": "system"},
    "PartialNode": {"func": {}, "args": {}, "kwds": {}, "namespace": {}},
    "SliceNode": {"start": 0, "stop": 1, "step": 1},
    "JsonNode": "1",
}
NAMES = ["numpy.lib.npyio.NpzFile", "numpy.memmap", "subprocess.Popen", "builtins.eval", "os.system", "shutil.rmtree",
         "pathlib.Path", "joblib.memory.Memory", "pickle.Unpickler", "scipy.io.loadmat"]  # fmt: skip


def hostile(path, loader: str, name: str) -> None:
    """A .skops file whose root is one node that names something else than a model."""
    module, _, kind = name.rpartition(".")
    content = CONTENTS.get(loader, {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode",
                                    "content": {}, "key_types": {"__class__": "list", "__module__": "builtins",
                                                                 "__loader__": "ListNode", "content": []}})  # fmt: skip
    root = {"__class__": kind, "__module__": module, "__loader__": loader, "content": content, "__id__": 1,
            "protocol": 2, "_skops_version": "0.16.0", "key_types": {"__class__": "list", "__module__": "builtins",
            "__loader__": "ListNode", "content": [], "__id__": 2}, "attrs": content, "type": "ndarray",
            "file": "data.npy", "is_json": True}  # fmt: skip
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("schema.json", json.dumps(root))
        file.writestr("data.npy", b"cos\nsystem\n(S'touch marker'\ntR.")


def loaders() -> list[str]:
    """All kinds of node that skops knows."""
    from skops.io._audit import NODE_TYPE_MAPPING

    return sorted({node for node, _ in NODE_TYPE_MAPPING} - {"JsonNode"})


@pytest.mark.parametrize("loader", loaders())
def test_a_hostile_file_is_refused_before_anything_is_built(tmp_path, monkeypatch, loader):
    """Each kind of node with each of ten names that would run, read or write something."""
    monkeypatch.chdir(tmp_path)
    victim = tmp_path / "victim.txt"
    victim.write_text("x" * 900)
    for name in NAMES:
        path = tmp_path / "evil.skops"
        hostile(path, loader, name)
        with pytest.raises(CannotRead):
            storage.load(path)
    assert victim.read_text() == "x" * 900
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.skops", "victim.txt"]


def test_the_two_files_that_once_ran_code_and_wrote(tmp_path):
    """A memmap that truncates a file, and an archive opened with pickles allowed, as constructors with arguments."""
    victim = tmp_path / "victim.txt"
    victim.write_text("x" * 900)

    def plain(value):
        return {"__class__": type(value).__name__, "__module__": "builtins", "__loader__": "JsonNode",
                "content": json.dumps(value), "is_json": True, "__id__": id(value)}  # fmt: skip

    for name, arguments in (
        ("numpy.memmap", [str(victim), "uint8", "w+", 0, 9]),
        ("numpy.lib.npyio.NpzFile", [str(tmp_path / "x.npz"), False, True]),
    ):
        module, _, kind = name.rpartition(".")
        content = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode",
                   "content": [plain(a) for a in arguments], "__id__": 5}  # fmt: skip
        root = {"__class__": kind, "__module__": module, "__loader__": "ConstructorFromReduceNode", "content": content,
                "__id__": 1, "protocol": 2, "_skops_version": "0.16.0"}  # fmt: skip
        with zipfile.ZipFile(tmp_path / "evil.skops", "w") as file:
            file.writestr("schema.json", json.dumps(root))
        with pytest.raises(CannotRead, match=re.escape(name)):
            storage.load(tmp_path / "evil.skops")
    assert victim.read_text() == "x" * 900


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", bytes(range(256)) * 20])
def test_a_damaged_model_is_a_sentence(tmp_path, damage):
    path = tmp_path / "model.skops"
    path.write_bytes(damage)
    with pytest.raises(CannotRead, match="damaged"):
        storage.load(path)


def test_every_model_that_is_stored_holds_listed_names_only(runs):
    """Nothing beyond the list, estimators of scikit-learn and of this package."""
    import skops.io

    for run in runs.values():
        for path in run.path.rglob("*.skops"):
            for name in skops.io.get_untrusted_types(file=path):
                assert name in storage.TRUSTED_NAMES or name.startswith(("mlcore.", "sklearn.", "xgboost.sklearn.")), (
                    name
                )
            storage.load(path)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [1, 2, 4])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_model_opens_again_on_few_columns_too(task, columns):
    """With few columns nearest neighbours store a tree, which they do not with many."""
    rng = np.random.default_rng(columns)
    frame = pd.DataFrame(rng.normal(size=(120, columns)), columns=list("abcd")[:columns])
    signal = frame.sum(axis=1) + rng.normal(size=120)
    targets = {"binary": np.where(signal > 0, "x", "z"), "regression": signal,
               "multiclass": pd.qcut(signal, 3, labels=["p", "q", "r"]).astype(str)}  # fmt: skip
    data = frame_here(frame.assign(y=targets[task]), "few")
    run = compare_here(data, "y", preset="thorough", folds=2, repeats=1)
    assert {r.reason for r in run.board().rows} == {""}
    for model in run.predicted():
        assert len(run.model(model).predict(frame.head(3))) == 3
