"""The rows that may be looked at: all but the holdout, which is drawn when a target is chosen.

The holdout depends on the target, the kind of split, its fraction and the seed, and on nothing else; so it is the same
before a comparison and in it. Whatever looks at the target before the holdout is opened looks at these rows.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from mlcore.data.dataset import Dataset, Schema
from mlcore.data.workspace import write_whole
from mlcore.errors import HoldoutError
from mlcore.ingest.kinds import infer
from mlcore.result import Array
from mlcore.validation.protocol import Protocol
from mlcore.validation.target import Predicted, resolve_split


def without_holdout(data: Dataset, aim: Predicted, protocol: Protocol) -> Dataset:
    """The dataset without the holdout of this target and protocol; all of it where no holdout is kept.

    Rows without a target are not part of the holdout. The schema keeps kinds and roles; its counts are of these rows.
    Where the rows cannot be split at all, the data are returned as they are: the comparison says why.
    """
    folder = data.path.parent / "training" / _key(data, aim, protocol)
    if not (folder / "dataset.json").exists():
        try:
            plan = resolve_split(data, aim, protocol).plan
        except HoldoutError:
            return data
        if not len(plan.holdout):
            return data
        _write(data, plan.holdout, folder)
    counted = Dataset.from_json(json.loads((folder / "dataset.json").read_text("utf-8")), folder / "data.parquet")
    columns = (
        replace(c, missing=counted.schema[c.name].missing, distinct=counted.schema[c.name].distinct)
        for c in data.schema
    )
    return counted.with_schema(Schema(tuple(columns)))


def _key(data: Dataset, aim: Predicted, protocol: Protocol) -> str:
    roled = protocol.with_roles(data.schema)
    parts = [data.fingerprint, aim.target, aim.task, roled.kind(aim.task), roled.group, roled.time, roled.holdout]
    return hashlib.sha256(json.dumps([*parts, roled.seed]).encode()).hexdigest()[:24]


def _write(data: Dataset, holdout: Array, folder: Path) -> None:
    """Write the rows that are not held out, batch by batch, and count them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    file, keep, start = pq.ParquetFile(data.path), np.ones(data.rows, bool), 0
    keep[holdout] = False
    part = folder / "data.part"
    with pq.ParquetWriter(part, file.schema_arrow) as writer:
        for batch in file.iter_batches(122_880):
            inside = pa.array(keep[start : start + batch.num_rows])
            writer.write_table(pa.Table.from_batches([batch.filter(inside)]))
            start += batch.num_rows
    part.replace(folder / "data.parquet")
    rows, schema = infer(folder / "data.parquet", {c.name: c.parse for c in data.schema})
    counted = replace(data, rows=rows, fingerprint=folder.name, schema=schema)
    write_whole(folder / "dataset.json", json.dumps(counted.to_json()))
