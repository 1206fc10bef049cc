"""The command line: its contract, its sentences, its exit status."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import pandas as pd
import pytest

from mlcore import cli


def run(capsys, *words):
    status = cli.main([str(w) for w in words])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(scope="module")
def compared(home, churn_file, tmp_path_factory):
    """One comparison through the real command."""
    out = tmp_path_factory.mktemp("cli") / "out.json"
    options = "--models logistic,decision_tree --folds 3 --seed 1 --ignore retention_call --open-holdout"
    words = ["compare", churn_file, "--target", "churned", *options.split(), "--json", out]
    done = subprocess.run(
        [sys.executable, "-m", "mlcore.cli", *map(str, words)], capture_output=True, text=True, check=True
    )
    return json.loads(out.read_text()), done


@pytest.mark.slow  # starts real processes
def test_compare_json_is_the_contract(compared):
    said, done = compared
    assert {"run", "dataset", "task", "metric", "seconds", "leaderboard", "alerts", "holdout"} <= set(said)
    assert set(said["dataset"]) == {"name", "rows", "columns", "fingerprint"}
    assert (said["dataset"]["rows"], said["task"], said["metric"]) == (1500, "binary", "roc_auc")
    for row in said["leaderboard"]:
        wanted = "model title status score ci folds metrics skill group star fit_seconds reason"
        assert set(wanted.split()) < set(row)
    scores = [r["score"] for r in said["leaderboard"]]
    assert scores == sorted(scores, reverse=True)
    assert said["leaderboard"][-1]["model"] == "dummy"
    assert len(said["leaderboard"][0]["folds"]) == 6
    assert said["holdout"]["looks"] == 1
    assert "★" in done.stdout  # the readable leaderboard is printed beside the file
    assert done.stderr == ""  # no progress bar where there is no terminal


@pytest.mark.slow  # starts real processes
def test_evaluate_explain_show_and_runs(compared, capsys):
    said, _ = compared
    status, out, _ = run(capsys, "evaluate", said["id"], "--model", "logistic", "--json", "-")
    found = json.loads(out)
    assert (status, found["model"], found["task"]) == (0, "logistic", "binary")
    assert found["confusion"]["labels"] == ["no", "yes"]
    status, out, _ = run(capsys, "explain", said["run"], "--row", 3, "--json", "-")
    found = json.loads(out)
    assert {"model", "row", "target", "prediction", "local_prediction", "r2", "abstained", "reason", "weights"} <= set(
        found
    )
    status, out, _ = run(capsys, "evaluate", said["id"])
    assert "rows that it was not trained on" in out
    status, out, _ = run(capsys, "explain", said["id"], "--row", 3)
    assert "churned = yes" in out
    status, out, _ = run(capsys, "show", said["id"])
    assert "differ significantly" in out
    status, out, _ = run(capsys, "runs")
    assert said["id"] in out


def test_profile(capsys, churn_file):
    status, out, _ = run(capsys, "profile", churn_file, "--target", "churned", "--json", "-")
    said = json.loads(out)
    assert status == 0
    assert set(said) == {"dataset", "reading", "columns", "alerts"}
    assert {"format", "encoding", "delimiter", "header", "decimal", "skipped_rows", "notes"} <= set(said["reading"])
    assert {"name", "kind", "role", "missing", "distinct"} <= set(said["columns"][0])
    assert ("target_leakage", "retention_call") in {(a["code"], a["column"]) for a in said["alerts"]}
    status, out, _ = run(capsys, "profile", churn_file)
    assert "1,500 rows and 11 columns" in out


def test_a_profile_as_html_and_reading_options(capsys, tmp_path):
    (tmp_path / "a.csv").write_text("Title\nx;d;z\n" + "".join(f"{i},500;0{i}/02/2024;0{i}\n" for i in range(1, 9)))
    status, _, told = run(capsys, "profile", tmp_path / "a.csv", "--html", tmp_path / "a.html")
    assert (status, "The report is in" in told) == (0, True)
    assert (tmp_path / "a.html").read_text("utf-8").startswith("<!doctype html>")
    options = ["--decimal", ".", "--dates", "month", "--skip", 1, "--delimiter", ";", "--text", "z", "--json", "-"]
    status, out, _ = run(capsys, "profile", tmp_path / "a.csv", *options)
    columns = {c["name"]: c for c in json.loads(out)["columns"]}
    assert (columns["x"]["minimum"], columns["d"]["maximum"]) == ("1,500", "2024-08-02")
    status, _, told = run(capsys, "profile", tmp_path / "a.csv", "--part", "x", "--quote", "none", "--skip", -1)
    assert status == 2
    assert "lines to skip" in told


@pytest.mark.slow
def test_a_database_on_the_command_line(capsys, tmp_path):
    pytest.importorskip("sqlalchemy")
    with sqlite3.connect(tmp_path / "s.db") as link:
        link.execute("create table t(a integer, b real)")
        link.executemany("insert into t values (?, ?)", [(i % 2, i / 3) for i in range(30)])
    url = f"sqlite:///{tmp_path}/s.db"
    status, out, _ = run(capsys, "profile", url, "--query", "t")
    assert (status, "30 rows and 2 columns" in out) == (0, True)
    status, out, _ = run(capsys, "profile", url, "--query", "select a from t", "--rows", 10)
    assert "10 rows and 1 column" in out
    assert run(capsys, "profile", url)[0] == 2


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["profile", "nowhere.csv"], "no file"),
        (["compare", "nowhere.csv", "--target", "x"], "no file"),
        (["compare", "CHURN"], "--target"),
        (["compare", "CHURN", "--target", "churnd"], "Did you mean 'churned'"),
        (["compare", "CHURN", "--target", "churned", "--models", "xgbost"], "Did you mean 'xgboost'"),
        (["compare", "CHURN", "--target", "churned", "--folds", "many"], "invalid int value"),
        (["compare", "CHURN", "--target", "churned", "--holdout", "2"], "0 to 0.9"),
        (["compare", "CHURN", "--target", "churned", "--recipe", "none.json"], "recipe"),
        (["compare", "CHURN", "--target", "customer_id"], "too many"),
        (["evaluate", "ffffff"], "no run"),
        (["explain", "ffffff", "--row", "1"], "no run"),
        (["explode"], "neither a command nor a file"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(capsys, churn_file, words, part):
    status, out, err = run(capsys, *[churn_file if w == "CHURN" else w for w in words])
    assert status == 2
    assert out == ""
    assert part in err
    assert err.startswith("holdout: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as done:
        cli.main(["--help"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    for command in ("profile", "compare", "evaluate", "explain"):
        assert command in out


def test_a_taken_port_is_said(capsys):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, _, err = run(capsys, "--no-browser", "--port", taken.getsockname()[1])
    assert status == 2
    assert "is taken" in err


def test_a_progress_bar_on_a_terminal():
    class Terminal:
        text = ""

        def isatty(self):
            return True

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    bar = cli._ProgressBar(Terminal())
    bar({"event": "started", "folds": 5, "candidates": 2})
    bar({"event": "fold", "model": "logistic"})
    assert "1 of 10 fits" in bar.stream.text
    assert "logistic" in bar.stream.text


@pytest.mark.slow  # starts real processes
def test_a_comparison_is_carried_out_again(compared, capsys, churn_file, tmp_path):
    """On its own rows the fold scores are the same to the last digit; other rows are refused first."""
    said, _ = compared
    status, out, err = run(capsys, "rerun", said["id"], "--json", "-")
    again = json.loads(out)
    assert status == 0
    assert f"The fold scores of 3 of 3 models equal those of {said['id']}" in err
    assert [r["folds"] for r in again["leaderboard"]] == [r["folds"] for r in said["leaderboard"]]
    half = tmp_path / "half.csv"
    half.write_text("".join(churn_file.read_text().splitlines(keepends=True)[:700]))
    status, _, err = run(capsys, "rerun", said["id"], half)
    assert status == 2
    assert "699 rows instead of 1,500" in err
    status, out, err = run(capsys, "rerun", said["id"], half, "--accept-changes", "--json", "-")
    assert json.loads(out)["dataset"]["rows"] == 699


def test_the_doctor_says_what_is_there(home, capsys):
    status, out, _ = run(capsys, "doctor")
    assert status == 0
    assert "scikit-learn" in out
    assert str(home) in out


@pytest.mark.slow
def test_views_of_evaluate_on_the_command_line(runs, capsys, tmp_path):
    path = runs["binary"].path
    words = ["--model", "logistic", "--threshold", "recall:0.9", "--costs", "10,-1,0,0", "--by", "colour"]
    status, out, _ = run(capsys, "evaluate", path, *words)
    assert status == 0
    assert "for a recall of 90 %" in out
    assert "earns" in out
    status, _, err = run(capsys, "evaluate", path, "--costs", "1,x")
    assert (status, "four numbers" in err) == (2, True)
    assert run(capsys, "evaluate", path, "--html", tmp_path / "e.html")[0] == 0
    assert (tmp_path / "e.html").read_text().startswith("<!doctype html>")


def test_what_if_on_the_command_line(runs, capsys):
    path = runs["binary"].path
    status, out, _ = run(capsys, "explain", path, "--row", 3, "--model", "logistic", "--set", "a=1", "--counterfactual",
                         "--neighbours", 2, "--json", "-")  # fmt: skip
    said = json.loads(out)
    assert status == 0
    assert said["what_if"]["changes"][0]["after"] == "1"
    assert len(said["neighbours"]) == 2
    assert isinstance(said["counterfactuals"], list)
    status, _, err = run(capsys, "explain", path, "--row", 3, "--set", "a")
    assert (status, "sets nothing" in err) == (2, True)


@pytest.mark.slow
def test_new_rows_on_the_command_line(runs, mixed, capsys, tmp_path):
    path = tmp_path / "new.csv"
    mixed.frame().head(12).drop(columns=["colour"]).to_csv(path, index=False)
    status, out, err = run(capsys, "predict", runs["binary"].path, path, "--model", "logistic", "--out",
                           tmp_path / "p.csv", "--json", "-")  # fmt: skip
    said = json.loads(out)
    assert (status, said["rows"], len(said["predictions"])) == (0, 12, 12)
    assert any(d["column"] == "colour" for d in said["differences"])
    assert len(pd.read_csv(tmp_path / "p.csv")) == 12
    assert "The predictions are in" in err
    status, out, _ = run(capsys, "export", runs["binary"].path, "--to", "card", tmp_path / "card.md")
    assert (status, out.strip()) == (0, str(tmp_path / "card.md"))
