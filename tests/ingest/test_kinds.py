from __future__ import annotations

import mlcore
from mlcore.data.dataset import Dataset
from tests.helpers import read_file


def kinds(data: Dataset) -> dict[str, str]:
    return {c.name: c.kind for c in data.schema}


def test_kinds_of_the_churn_sample(churn_file):
    assert kinds(mlcore.read(churn_file)) == {
        "customer_id": "identifier",
        "signed_up": "datetime",
        "age": "numeric",
        "region": "categorical",
        "contract": "categorical",
        "internet": "categorical",
        "monthly_charge": "numeric",
        "autopay": "boolean",
        "support_calls": "numeric",
        "retention_call": "categorical",
        "churned": "boolean",
    }


def test_kinds_say_why(tmp_path):
    text = "flag,once,answer\n" + "".join(f"{'yes' if i % 2 else 'no'},7,{'J' if i % 3 else 'N'}\n" for i in range(30))
    data = read_file(tmp_path, "a.csv", text)
    assert kinds(data) == {"flag": "boolean", "once": "constant", "answer": "categorical"}
    assert data.schema["flag"].reason == "yes or no"
