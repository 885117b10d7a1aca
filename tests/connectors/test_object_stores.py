"""Files and tables in an object store: read through the S3 protocol of a server that is not ours."""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from moto.server import ThreadedMotoServer

from connectors.contract import Page
from connectors.errors import ConnectorError, PermanentError, TransientError
from connectors.files.connector import Files, FilesConfig
from connectors.lake.connector import Lake, LakeConfig
from connectors.mapping_file import parse
from connectors.object_store import Folder, matches

MAPPING = """
connector: files
objects:
  rates:
    pattern: "daily/**/*.*"
    key: [a, day]
    targets:
      - entity: fx_rates
        columns: {from_currency: a, rate: rate, rate_date: day}
"""
HEADER = "a,rate,day\n"
BUCKET = "tieout-test"


def later() -> datetime:
    """A moment at which whatever is in the store has been left alone for a while."""
    return datetime.now(UTC) + timedelta(seconds=60)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-that-nobody-may-see")
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    yield client
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()


@pytest.fixture
def files(endpoint: str, s3: Any) -> Callable[..., Files]:
    del s3

    def opened(folder: str = f"s3://{BUCKET}/inbox", clock: Callable[[], datetime] = later) -> Files:
        config = FilesConfig(folder, "metering", endpoint_override=endpoint, region="us-east-1")
        return Files(config, parse(MAPPING), clock)

    return opened


def _put(s3: Any, key: str, content: str | bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=content.encode() if isinstance(content, str) else content)


def _records(pages: list[Page]) -> list[Mapping[str, Any]]:
    return [record for page in pages for record in page.records]


def test_every_format_is_read_once_and_what_is_new_is_read_next_time(s3: Any, files: Callable[..., Files]) -> None:
    rows = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": ["CHF"], "rate": ["1.3"], "day": ["2026-11-30"]}), rows)
    _put(s3, "inbox/daily/a.csv", HEADER + "EUR,1.1,2026-11-30\n")
    _put(s3, "inbox/daily/2026/11/b.jsonl", '{"a": "GBP", "rate": 1.20, "day": "2026-11-30"}\n')
    _put(s3, "inbox/daily/c.json", '[{"a": "JPY", "rate": 0.0065, "day": "2026-11-30"}]')
    _put(s3, "inbox/daily/d.parquet", rows.getvalue().to_pybytes())
    _put(s3, "inbox/other/e.csv", "of another object")
    _put(s3, "inbox/daily/f.csv.part", "not finished")
    pages = list(files().changes("rates", None))
    found = {(record["a"], record["rate"], record["_file"]) for record in _records(pages)}
    assert found == {
        ("EUR", "1.1", "daily/a.csv"),
        ("GBP", "1.20", "daily/2026/11/b.jsonl"),
        ("JPY", "0.0065", "daily/c.json"),
        ("CHF", "1.3", "daily/d.parquet"),
    }
    assert list(files().changes("rates", pages[-1].position)) == []
    _put(s3, "inbox/daily/a.csv", HEADER + "EUR,1.15,2026-11-30\n")
    assert [record["rate"] for record in _records(list(files().changes("rates", pages[-1].position)))] == ["1.15"]


def test_an_object_that_changed_a_moment_ago_waits(s3: Any, files: Callable[..., Files]) -> None:
    _put(s3, "inbox/daily/a.csv", HEADER)
    assert list(files(clock=lambda: datetime.now(UTC)).changes("rates", None)) == []


def test_the_columns_of_the_newest_file(s3: Any, files: Callable[..., Files]) -> None:
    _put(s3, "inbox/daily/a.csv", "a,rate,day,unmapped\n")
    assert [field.name for field in files().fields("rates")] == ["a", "rate", "day", "unmapped"]


def test_a_prefix_without_objects_is_not_an_empty_folder(files: Callable[..., Files]) -> None:
    with pytest.raises(PermanentError, match="The folder of metering does not exist, or is empty"):
        list(files("s3://tieout-test/nothing-here").changes("rates", None))


def test_a_store_that_does_not_answer_is_transient_and_tells_no_secret(s3: Any) -> None:
    del s3
    config = FilesConfig(f"s3://{BUCKET}/inbox", "metering", endpoint_override="http://127.0.0.1:9", region="us-east-1")
    with pytest.raises(TransientError, match="metering: the folder could not be read") as refused:
        list(Files(config, parse(MAPPING), later).changes("rates", None))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:hunter2@bucket/in",
        "s3://bucket/in?access_key=hunter2",
        "https://store/hunter2",
        "s3://bucket/in#hunter2",
    ],
)
def test_a_url_with_more_than_a_place_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConnectorError) as refused:
        Files(FilesConfig(url), parse(MAPPING), later)
    assert "hunter2" not in str(refused.value)


def test_an_endpoint_is_for_what_speaks_like_s3() -> None:
    with pytest.raises(PermanentError, match="are for s3:// alone"):
        Files(FilesConfig("gs://bucket/in", region="us-east-1"), parse(MAPPING), later)


def test_what_is_put_appears_as_a_whole(s3: Any, endpoint: str) -> None:
    folder = Folder("metering", f"s3://{BUCKET}/inbox", endpoint, "us-east-1")
    folder.put("errors/a.jsonl", b"{}\n")
    assert s3.get_object(Bucket=BUCKET, Key="inbox/errors/a.jsonl")["Body"].read() == b"{}\n"
    assert folder.find("errors/b.jsonl") is None
    assert [file.size for file in folder.files("errors/*.jsonl")] == [3]


LAKE = """
connector: lake
objects:
  FORMAT:
    table: finance/rates
    format: FORMAT
    key: a
    targets:
      - entity: fx_rates
        columns: {from_currency: a, rate: rate}
"""


def _upload(s3: Any, folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            s3.upload_file(str(path), BUCKET, f"gold/finance/rates/{path.relative_to(folder).as_posix()}")


def _lake(kind: str, endpoint: str) -> Lake:
    config = LakeConfig(f"s3://{BUCKET}/gold", endpoint_override=endpoint, region="us-east-1")
    return Lake(config, parse(LAKE.replace("FORMAT", kind)), later)


def test_a_delta_table_in_an_object_store(s3: Any, endpoint: str, tmp_path: Path) -> None:
    rates = pa.table({"a": ["EUR", "GBP"], "rate": pa.array([Decimal("1.10"), Decimal("1.25")])})
    write_deltalake(str(tmp_path), rates)
    _upload(s3, tmp_path)
    pages = list(_lake("delta", endpoint).changes("delta", None))
    assert sorted((record["a"], record["rate"]) for record in _records(pages)) == [("EUR", "1.10"), ("GBP", "1.25")]
    DeltaTable(str(tmp_path)).delete("a = 'GBP'")
    write_deltalake(str(tmp_path), rates.slice(0, 1), mode="append")
    _upload(s3, tmp_path)
    connector = _lake("delta", endpoint)
    assert {record["a"] for record in _records(list(connector.changes("delta", pages[-1].position)))} == {"EUR"}
    assert list(connector.deletions("delta", later())) == ["GBP"]


def test_a_parquet_folder_in_an_object_store(s3: Any, endpoint: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["EUR"], "rate": ["1.10"]}), tmp_path / "1.parquet")
    _upload(s3, tmp_path)
    connector = _lake("parquet", endpoint)
    assert _records(list(connector.changes("parquet", None))) == [{"a": "EUR", "rate": "1.10"}]
    assert connector.count("parquet") == 1


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", "b/a.csv", False),
        ("**/*.csv", "a.csv", True),
        ("**/*.csv", "b/c/a.csv", True),
        ("x/**/a.*", "x/y/z/a.csv", True),
        ("x/**/a.*", "y/a.csv", False),
        ("day-[0-9]/?.csv", "day-7/a.csv", True),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    assert matches(pattern, path) is fits
