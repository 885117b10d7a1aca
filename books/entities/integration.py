"""How the systems hand over to each other, and who wrote what in them."""

from books.columns import columns
from books.entities.entity import Entity

ENTITIES = (
    # One run of a flow of an integration platform, as the platform reports it.
    Entity(
        "integration_runs",
        columns(
            flow="text",
            job_id="text",
            trace_key="text",  # what the run was about; a later success with the same one settles an error
            source_system="text",  # in the platform's words, as target_system
            target_system="text",
            object="text",  # what it moves, such as Contract or invoice
            status="text",  # running, success, partial, failed, cancelled
            started_at="instant",
            finished_at="instant",
            read_count="whole",
            written_count="whole",
            rejected_count="whole",
            message="text",
            source_count="whole",  # how many records the source itself says that there were
            amount="money",  # control total of what was written, where the platform keeps one
            currency="text",
        ),
    ),
    # A record that a flow could not move: an entry of an error queue or a dead-letter queue.
    Entity(
        "integration_errors",
        columns(
            flow="text",
            job_id="text",
            trace_key="text",
            queue="text",
            source_system="text",
            target_system="text",
            object="text",
            record_key="text",  # the source system's id of the record
            code="text",
            message="text",
            status="text",  # open, retrying, resolved, ignored
            retry_state="text",  # the platform's own word for whether it tries again
            attempts="whole",
            owner="text",
            amount="money",  # of the record, where the platform reports it
            currency="text",
            raised_at="instant",  # first seen
            last_seen_at="instant",
            resolved_at="instant",
        ),
    ),
    # What changed in how a source describes itself; written by the gateway, under the source's name.
    Entity(
        "metadata_changes",
        columns(object="text", field="text", change="text", before="text", after="text", seen_at="instant"),
    ),
    # Who wrote what, by which way and in which order: a row per changed field of a source's audit trail.
    Entity(
        "record_changes",
        columns(
            object="text",
            record_key="text",
            field="text",
            before="text",
            after="text",
            changed_at="instant",  # applied
            changed_by="text",
            via="text",  # ui, import, api, integration, script
            client="text",  # the application that wrote, where the source names it
            ticket="text",  # the change that allows it
            sequence="whole",  # the sender's order of events for the record
            effective_date="date",
            amount="money",  # what the change is worth, where the source reports it
            currency="text",
        ),
    ),
    Entity(
        "links",
        columns(
            left_system="text",
            left_entity="text",  # accounts, or usage_events: then left_key is who used, as the meter knows them
            left_key="text",
            right_system="text",
            right_key="text",  # an account of the CRM
            basis="text",  # declared, matched, confirmed, rejected; a match is a proposal and joins nothing
            score="price",  # 0 to 1, of a match
            reason="text",
            proposed_at="instant",
            decided_at="instant",
            decided_by="text",
        ),
    ),
)
