"""Generate the sample data: `python sample_data/make.py`. The seed is fixed, so each run writes the same files.

Each file has a story and a planted lesson, described in README.md in this folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent


def with_gaps(values: pd.Series, share: float, rng: np.random.Generator) -> pd.Series:
    """Replace a fraction of the values with missing values."""
    return values.mask(rng.random(len(values)) < share)


def churn(rows: int = 1500) -> pd.DataFrame:
    """Customers of a phone company; `retention_call` is made only to customers who have already cancelled."""
    rng = np.random.default_rng(11)
    signed = pd.Timestamp("2021-01-04") + pd.to_timedelta(rng.integers(0, 1400, rows), unit="D")
    months = ((pd.Timestamp("2025-01-01") - signed).days / 30.4).astype(int)
    contract = rng.choice(["month to month", "one year", "two years"], rows, p=[0.55, 0.25, 0.20])
    charge = np.round(rng.gamma(9, 6.5, rows) + 12, 2)
    calls = rng.poisson(1.3, rows)
    autopay = rng.random(rows) < 0.58
    region = rng.choice(["North", "South", "East", "West"], rows, p=[0.3, 0.3, 0.25, 0.15])
    logit = (
        -1.35
        + 1.3 * (contract == "month to month")
        - 0.9 * (contract == "two years")
        - 0.028 * months
        + 0.016 * (charge - 70)
        + 0.48 * calls
        - 0.55 * autopay
        + 0.25 * (region == "West")
    )
    churned = rng.random(rows) < 1 / (1 + np.exp(-logit))
    call = np.where(churned & (rng.random(rows) < 0.96), "made", "none")
    return pd.DataFrame(
        {
            "customer_id": [f"C-{n:05d}" for n in rng.permutation(90000)[:rows] + 10000],
            "signed_up": signed.strftime("%Y-%m-%d"),
            "age": with_gaps(pd.Series(rng.normal(47, 15, rows).clip(18, 90).round()), 0.08, rng).astype("Int64"),
            "region": region,
            "contract": contract,
            "internet": with_gaps(
                pd.Series(rng.choice(["fibre", "cable", "none"], rows, p=[0.45, 0.35, 0.2])), 0.04, rng
            ),
            "monthly_charge": charge,
            "autopay": autopay,
            "support_calls": calls,
            "retention_call": call,
            "churned": np.where(churned, "yes", "no"),
        }
    )


def houses(rows: int = 1200) -> pd.DataFrame:
    """House sales: roughly log-normal prices, a few extreme outliers, and many houses without a garden."""
    rng = np.random.default_rng(12)
    area = np.round(np.exp(rng.normal(4.75, 0.38, rows)))
    rooms = (area / 27 + rng.normal(0, 0.8, rows)).round().clip(1, 12).astype(int)
    built = (2024 - rng.gamma(2.0, 19, rows)).clip(1870, 2024).astype(int)
    garden = np.where(rng.random(rows) < 0.42, 0, np.round(rng.gamma(2, 130, rows)))
    distance = np.round(rng.gamma(2.2, 4.2, rows), 1)
    district = rng.choice(
        ["Harbour", "Old town", "Hill", "Station", "Meadow", "Mill"], rows, p=[0.1, 0.16, 0.14, 0.25, 0.22, 0.13]
    )
    condition = rng.choice(["poor", "fair", "good", "excellent"], rows, p=[0.1, 0.35, 0.4, 0.15])
    premium = (
        pd.Series(district)
        .map({"Harbour": 0.42, "Old town": 0.25, "Hill": 0.3, "Station": 0.0, "Meadow": -0.05, "Mill": -0.18})
        .to_numpy()
    )
    state = pd.Series(condition).map({"poor": -0.22, "fair": -0.05, "good": 0.06, "excellent": 0.2}).to_numpy()
    log_price = (
        9.1
        + 0.78 * np.log(area)
        + 0.02 * rooms
        + premium
        + state
        + 0.0016 * (built - 1970)
        + 0.0002 * garden
        - 0.017 * distance
        + rng.normal(0, 0.14, rows)
    )
    price = np.exp(log_price)
    strange = rng.choice(rows, 9, replace=False)
    price[strange] *= rng.uniform(2.6, 4.5, 9)
    return pd.DataFrame(
        {
            "district": district,
            "area_m2": area.astype(int),
            "rooms": rooms,
            "built": with_gaps(pd.Series(built), 0.05, rng).astype("Int64"),
            "garden_m2": garden.astype(int),
            "centre_km": distance,
            "condition": with_gaps(pd.Series(condition), 0.03, rng),
            "lift": rng.random(rows) < 0.3,
            "price": (price / 100).round().astype(int) * 100,
        }
    )


def visits(patients: int = 220) -> pd.DataFrame:
    """Clinic visits, several per patient; measurements and outcome hardly differ between the visits of a patient."""
    rng = np.random.default_rng(13)
    rows = []
    for patient in range(patients):
        frail = rng.normal()
        weight, pressure, sugar = rng.normal(78, 14), rng.normal(131, 14), rng.normal(101, 16)
        height = rng.normal(171, 9)
        admitted = rng.random() < 1 / (1 + np.exp(-(0.35 * frail + 0.01 * (pressure - 131) - 0.55)))
        start = pd.Timestamp("2022-01-03") + pd.Timedelta(days=int(rng.integers(0, 700)))
        for visit in range(int(rng.integers(2, 9))):
            flip = rng.random() < 0.06
            rows.append(
                {
                    "patient_id": f"P{patient + 1001}",
                    "visit_date": (start + pd.Timedelta(days=int(30 * visit + rng.integers(-5, 6)))).strftime(
                        "%Y-%m-%d"
                    ),
                    "height_cm": round(height, 1),
                    "weight_kg": round(weight + rng.normal(0, 0.8), 1),
                    "systolic": round(pressure + rng.normal(0, 4)),
                    "glucose": round(sugar + rng.normal(0, 4)),
                    "ward": str(rng.choice(["A", "B", "C"])),
                    "pain": int(np.clip(round(3 + 0.7 * frail + rng.normal(0, 1.6)), 0, 10)),
                    "admitted": "yes" if admitted != flip else "no",
                }
            )
    frame = pd.DataFrame(rows)
    frame["glucose"] = with_gaps(frame["glucose"], 0.06, rng).astype("Int64")
    return frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)


def teas(rows: int = 360) -> pd.DataFrame:
    """Tea leaves of three kinds: oolong is rare and overlaps with green and black."""
    rng = np.random.default_rng(14)
    kind = rng.choice(["green", "oolong", "black"], rows, p=[0.45, 0.15, 0.40])
    step = pd.Series(kind).map({"green": 0.0, "oolong": 1.0, "black": 1.9}).to_numpy()
    return pd.DataFrame(
        {
            "oxidation": np.round((8 + 36 * step + rng.normal(0, 11, rows)).clip(0, 100), 1),
            "leaf_mm": np.round(34 - 6 * step + rng.normal(0, 5, rows), 1),
            "moisture": np.round(5.2 - 0.5 * step + rng.normal(0, 0.6, rows), 2),
            "theanine": with_gaps(pd.Series(np.round(21 - 4 * step + rng.normal(0, 3.4, rows), 1)), 0.05, rng),
            "origin": rng.choice(["Assam", "Fujian", "Shizuoka", "Uva"], rows),
            "harvest": rng.choice(["spring", "summer", "autumn"], rows),
            "kind": kind,
        }
    )


FILES = {"customer_churn.csv": churn, "house_prices.csv": houses, "patient_visits.csv": visits, "tea_leaves.csv": teas}


def main() -> None:
    """Write all files to the folder of this script."""
    for name, make in FILES.items():
        frame = make()
        frame.to_csv(HERE / name, index=False, lineterminator="\n")
        print(f"{name}: {len(frame):,} rows, {len(frame.columns)} columns")


if __name__ == "__main__":
    main()
