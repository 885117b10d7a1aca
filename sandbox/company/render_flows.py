"""The files of the integration platform: runs and errors as JSON Lines."""

import json
from collections import defaultdict

from sandbox.company.file_format import instant
from sandbox.company.flow_records import FlowError, FlowRun
from sandbox.company.world import World


def render_integrations(world: World) -> dict[str, str]:
    """`runs/2026-11.jsonl` by the month in which they ended, `errors/2026-11.jsonl` by that of the last try."""
    files: dict[str, list[str]] = defaultdict(list)
    for run in sorted(world.flow_runs, key=lambda run: run.run_id):
        files[f"runs/{run.finished_at:%Y-%m}.jsonl"].append(_run(run))
    for error in world.flow_errors.values():
        files[f"errors/{error.last_seen_at:%Y-%m}.jsonl"].append(_error(error))
    return {name: "".join(files[name]) for name in sorted(files)}


def _run(run: FlowRun) -> str:
    return _json_line(
        run_id=run.run_id,
        flow=run.flow.name,
        trace_key=run.trace_key,
        source_system=run.flow.source,
        target_system=run.flow.target,
        object=run.flow.object,
        status=run.status,
        started_at=instant(run.started_at),
        finished_at=instant(run.finished_at),
        read=run.written + run.rejected,
        written=run.written,
        rejected=run.rejected,
        source_count=run.source_count,
        amount=None if run.amount is None else str(run.amount),
        currency=None if run.amount is None else run.flow.currency,
        reported_at=instant(run.finished_at),
    )


def _error(error: FlowError) -> str:
    return _json_line(
        error_id=error.error_id,
        flow=error.flow.name,
        trace_key=error.trace_key,
        queue=f"{error.flow.target}-dlq",
        source_system=error.flow.source,
        target_system=error.flow.target,
        object=error.flow.object,
        record_key=error.record_key,
        code=error.code,
        message=error.message,
        status=error.status,
        owner=error.owner,
        amount=None if error.amount is None else str(error.amount),
        currency=error.currency,
        customer=error.customer,
        first_seen_at=instant(error.first_seen_at),
        last_seen_at=instant(error.last_seen_at),
        resolved_at=error.resolved_at and instant(error.resolved_at),
        reported_at=instant(error.resolved_at or error.last_seen_at),
    )


def _json_line(**fields: object) -> str:
    """One record; what the platform does not know is left out."""
    return json.dumps({name: value for name, value in fields.items() if value is not None}) + "\n"
