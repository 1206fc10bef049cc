"""Ways to open data: a file, a sample, the file on the command line; and recent runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from mlcore.data.dataset import Dataset
from mlcore.errors import Ambiguous, HoldoutError
from mlcore.ingest import sources
from mlcore.ingest.formats import READS
from mlcore.ingest.options import MOST_ROWS, ReadOptions, Stored, Table
from mlcore.ingest.reader import read, spool_upload
from mlcore.ingest.samples import SAMPLES, Sample, open_sample
from mlcore.run import Run
from ui.state import PARAMETER, is_local, session, workspace
from ui.widgets import error_box, escape

ASSETS = Path(__file__).parents[1] / "assets"


def _to_data() -> None:
    st.switch_page("pages/data.py", query_params={PARAMETER: session().token})


def take(data: Dataset, target: str | None = None) -> None:
    """Open a dataset in this session, and go to the Data page."""
    session().open(data, target)
    _to_data()


def uploader(place: str) -> None:
    """A file uploader; the bytes are written to disk, read, and then released."""
    round_ = st.session_state.setdefault(f"upload-round-{place}", 0)
    upload = st.file_uploader(
        "Drop a file here", key=f"upload-{place}-{round_}", help=f"Formats: {READS}. Nothing leaves this machine."
    )
    problem = f"upload-problem-{place}"
    if upload is None:
        st.caption(f"{READS}. Nothing leaves this machine.")
        if problem in st.session_state:  # it stays until another file is tried
            error_box(st.session_state[problem])
        return
    st.session_state.pop(problem, None)
    path, name = spool_upload(upload, upload.name, workspace()), upload.name
    _release(upload)
    try:
        with st.skeleton(height=120):
            data = _read_upload(path, name)
    except HoldoutError as error:
        st.session_state[problem] = error
        error_box(error)
        return
    finally:
        path.unlink(missing_ok=True)
        path.parent.rmdir()
    st.session_state[f"upload-round-{place}"] = round_ + 1  # a new uploader releases the bytes of this one
    take(data)


def _read_upload(path: Path, name: str) -> Dataset:
    """Read an upload and keep its bytes; of several tables the first, and the others can be chosen on the page."""
    try:
        data = read(path, name=name, workspace=workspace())
    except Ambiguous as error:
        data = read(path, name=name, options=ReadOptions(subset=error.choices[0]), workspace=workspace())
    sources.keep_original(path, data, workspace())
    return data


def _release(upload: UploadedFile) -> None:
    """Release the bytes of an upload that is on disk; Streamlit would keep them until the tab is closed."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, upload.file_id)
    upload.close()


def _read(source: Callable[[], Path | Table | Stored]) -> None:
    """Read a source other than an upload, and open it; `source` may raise HoldoutError."""
    try:
        origin = source()
        with st.skeleton(height=120):
            data = read(origin, workspace=workspace())
    except HoldoutError as error:
        error_box(error)
        return
    if isinstance(origin, Path):
        sources.point_to_original(origin, data, workspace())
    take(data)


def from_folder() -> None:
    """A file on this computer, inside the allowed folder."""
    root = sources.data_root()
    if root is None or not is_local():
        st.caption(
            "Start Holdout with HOLDOUT_DATA_ROOT set to a folder to open its files here without an upload."
            if is_local()
            else "Files on the server can be opened only if it serves this computer alone."
        )
        return
    files = sources.files()
    if not files:
        st.caption(escape(f"There is no readable file in {root}. Formats: {READS}."))
        return
    name = st.selectbox("File", files, key="folder-file")
    if st.button("Open this file", type="primary", key="folder-open"):
        _read(lambda: sources.file(name))


def from_database() -> None:
    """A database table, or the result of a query."""
    if "sql" not in sources.allowed():
        st.caption("Databases are off. The administrator of this server can turn them on with HOLDOUT_SOURCES=sql.")
        return
    url = st.text_input(
        "Address", key="database-url", type="password", placeholder="postgresql://name:password@host/database",
        help="An SQLAlchemy URL. It is used once and not stored.",
    )  # fmt: skip
    query = st.text_area("Table, or one SELECT", key="database-query", placeholder="orders", height=100)
    rows = int(st.number_input("Maximum number of rows", 1, 50_000_000, MOST_ROWS, key="database-rows"))
    if st.button("Read from the database", type="primary", key="database-open", disabled=not (url and query)):
        _read(lambda: sources.table(url, query, rows))


def from_storage() -> None:
    """An object in S3-compatible storage."""
    if "s3" not in sources.allowed():
        st.caption("Storage is off. The administrator of this server can turn it on with HOLDOUT_SOURCES=s3.")
        return
    url = st.text_input("Object", key="storage-url", placeholder="s3://bucket/folder/file.parquet")
    endpoint = st.text_input("Endpoint, if it is not Amazon's", key="storage-endpoint") or None
    st.caption("Credentials are read from the server's environment (AWS_ACCESS_KEY_ID and the like).")
    if st.button("Read from storage", type="primary", key="storage-open", disabled=not url.startswith("s3://")):
        _read(lambda: Stored(url, endpoint))


def sample_cards(*, ours: bool) -> None:
    """The samples with their stories."""
    for sample in SAMPLES:
        if sample.ours == ours:
            _card(sample)


def _card(sample: Sample) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(f"**{sample.title}**  \n{sample.story}", width="stretch")
        if st.button("Open", key=f"sample-{sample.name}", help=f"Open {sample.title}"):
            take(open_sample(sample.name, workspace()), sample.target)


def open_given_file() -> None:
    """Open the file named on the command line, once per session."""
    path = os.environ.get("HOLDOUT_OPEN")
    if path and session().fingerprint is None and "given-file" not in st.session_state:
        st.session_state["given-file"] = True
        try:
            data = read(path, workspace=workspace())
        except HoldoutError as error:
            error_box(error)
            return
        sources.point_to_original(Path(path), data, workspace())
        take(data)


def picture() -> None:
    """A screenshot of a leaderboard."""
    dark = st.context.theme.type == "dark"
    image = ASSETS / ("leaderboard-dark.png" if dark else "leaderboard-light.png")
    if image.exists():
        st.image(str(image))
    st.caption(
        "A comparison on the churn sample. Shaded models do not differ significantly from the best; the star marks "
        "the simplest of them."
    )


def recent_runs(most: int = 6) -> None:
    """Recent runs of this workspace, to open again."""
    runs = [r for r in map(Run, workspace().run_folders()[:most]) if r.is_readable()]
    if not runs:
        return
    st.subheader("Open a recent comparison")
    grid = st.grid(3, min_column_width=300)
    for run in runs:
        experiment = run.experiment
        with grid.cell(), st.container(border=True, horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown(
                f"**{escape(experiment.source.name, 60)}**: {escape(experiment.recipe.target, 60)}  \n"
                f":gray[{len(experiment.candidates)} models, {run.progress().state}, {_when(run.path.name)}]",
                width="stretch",
            )
            if st.button("Open", key=f"run-{run.path.name}"):
                attach(run.path.name)


def _when(name: str) -> str:
    day, clock = name.split("-")[:2]
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}" if day.isdigit() and clock.isdigit() else name


def attach(name: str) -> None:
    """Open a run again, with its data, recipe and protocol."""
    run = Run(workspace().run_folder(workspace().root / "runs" / name))
    current, experiment = session(), run.experiment
    current.open(workspace().store(_copy(run.dataset)))
    current.schema, current.recipe = experiment.schema, experiment.recipe
    current.protocol = experiment.protocol
    current.models = tuple(c.model for c in experiment.candidates if not c.is_baseline)
    current.set_run(name)
    st.switch_page("pages/models.py", query_params={PARAMETER: current.token})


def _copy(data: Dataset) -> Dataset:
    """A copy of the run's rows, in a file that the workspace may move."""
    import shutil
    from dataclasses import replace

    path = workspace().folder("spool") / f"{data.fingerprint}.parquet"
    if not (workspace().root / "datasets" / data.fingerprint / "dataset.json").exists():
        shutil.copyfile(data.path, path)
    return replace(data, path=path)


def other_ways() -> None:
    """The tabs of the Data page: a file, a sample, a folder, a database, storage."""
    for tab, (_, draw) in zip(st.tabs([name for name, _ in WAYS]), WAYS, strict=True):
        with tab:
            draw()


def _upload() -> None:
    uploader("data")


def _samples() -> None:
    left, right = st.columns(2)
    with left:
        sample_cards(ours=True)
    with right:
        sample_cards(ours=False)


WAYS: tuple[tuple[str, Callable[[], None]], ...] = (
    ("A file", _upload),
    ("A sample", _samples),
    ("This computer", from_folder),
    ("A database", from_database),
    ("Storage (S3)", from_storage),
)
