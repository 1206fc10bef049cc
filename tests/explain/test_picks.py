from __future__ import annotations

from mlcore.explain.picks import picks


def test_rows_worth_a_look(runs):
    found = {p.name: p.rows for p in picks(runs["binary"], "xgboost")}
    part = runs["binary"].predictions("xgboost")
    part = part[part["repeat"] == 0].set_index("row")
    wrong = part[part["truth"] != part["prediction"]]
    assert set(found["worst"]) <= set(wrong.index)
    sure = wrong[["p_no", "p_yes"]].max(axis=1)
    assert found["worst"][0] == sure.idxmax()
    regression = picks(runs["regression"], "ridge")[0]
    part = runs["regression"].predictions("ridge").query("repeat == 0")
    error = (part["prediction"] - part["truth"]).abs()
    assert regression.rows[0] == part["row"].iloc[int(error.argmax())]
