"""The time zone of a Parquet file's instants, which lies in its metadata alone."""

import base64
import binascii
import json
import re
import zoneinfo
from collections.abc import Sequence

import duckdb

from bmastore.storage.statements import literal


def zones_of_parquet(
    duck: duckdb.DuckDBPyConnection, path: str, columns: Sequence[str]
) -> dict[str, str]:
    """Zones of some columns, as pandas or Arrow wrote them; none where the file does not say."""
    escaped = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)
    found = duck.execute(
        f"select key, value from parquet_kv_metadata({literal(escaped)})"
    ).fetchall()
    metadata = {bytes(key): bytes(value) for key, value in found}
    zones = _of_arrow(metadata.get(b"ARROW:schema", b""), columns)
    return zones | _of_pandas(metadata.get(b"pandas", b""), columns)


def _of_pandas(content: bytes, columns: Sequence[str]) -> dict[str, str]:
    try:
        described = json.loads(content)["columns"]
        zones = {
            str(one.get("field_name") or one.get("name")): one["metadata"]["timezone"]
            for one in described
            if (one.get("metadata") or {}).get("timezone")
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: zone for name, zone in zones.items() if name in columns and _is_zone(zone)}


def _of_arrow(content: bytes, columns: Sequence[str]) -> dict[str, str]:
    """Zones out of Arrow's schema: through pyarrow, or if it names one zone only, that."""
    try:
        schema = base64.b64decode(content)
    except binascii.Error:
        return {}
    if not schema:
        return {}
    try:
        import pyarrow as pa

        fields = pa.ipc.read_schema(pa.py_buffer(schema))
        return {
            field.name: field.type.tz
            for field in fields
            if field.name in columns and getattr(field.type, "tz", None)
        }
    except ModuleNotFoundError:
        pass
    except (ValueError, OSError):
        return {}
    words = set(
        re.findall(r"[A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)+|[+-]\d{2}:\d{2}", schema.decode("latin-1"))
    )
    zones = {word for word in words if _is_zone(word)}
    return dict.fromkeys(columns, zones.pop()) if len(zones) == 1 else {}


def _is_zone(zone: object) -> bool:
    return isinstance(zone, str) and (
        bool(re.fullmatch(r"[+-]\d{2}:?\d{2}", zone)) or zone in zoneinfo.available_timezones()
    )
