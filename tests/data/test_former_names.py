"""Files of earlier versions stay readable."""

from __future__ import annotations

import json

from mlcore.data.dataset import Dataset
from mlcore.experiment.search import Search
from mlcore.models import storage
from mlcore.models.wrappers import NaiveBayes
from mlcore.runs.events import EventReader
from mlcore.runs.trials import read_trials


def test_events_and_trials(tmp_path):
    events = [{"event": "fold", "seen": 0.9}, {"event": "fitted", "words": "if x"}, {"event": "point", "seen": 0.8}]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    fold, fitted, point = EventReader(tmp_path).events()
    assert (fold["train_score"], fitted["description"], point["train_score"]) == (0.9, "if x", 0.8)
    trial = {"number": 0, "parameters": {}, "scores": [0.7], "seen": [0.9], "state": "defaults", "seconds": 0.1}
    (tmp_path / "trials.jsonl").write_text(json.dumps(trial) + "\n")
    assert read_trials(tmp_path / "trials.jsonl")[0].train_scores == (0.9,)


def test_searches_and_datasets(mixed):
    search = Search(method="random", parameters=("C",))
    data = {"method": "random", "trials": 20, "seconds": 0.0, "folds": 3, "knobs": ["C"]}
    assert Search.from_json(data) == search
    stored = json.loads(json.dumps(mixed.to_json()))
    stored["reading"]["part"], stored["reading"]["parts"] = "May", ["May", "June"]
    del stored["reading"]["subset"], stored["reading"]["subsets"]
    assert Dataset.from_json(stored, mixed.path).reading.subsets == ("May", "June")


def test_models_that_name_a_former_module(tmp_path, monkeypatch):
    """As `mlcore.learners` wrote them, where the class was then."""
    with monkeypatch.context() as patch:
        patch.setattr(NaiveBayes, "__module__", "mlcore.learners")
        from mlcore.data.former_names import provide_former_modules

        provide_former_modules()
        storage.dump(NaiveBayes().fit([[0.0], [1.0]], ["a", "b"]), tmp_path / "m.skops")
    assert storage.load(tmp_path / "m.skops").predict([[0.9]]).tolist() == ["b"]
