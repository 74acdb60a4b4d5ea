"""The declarative file and the JSON of the API: one parser and one printer for both.

It reads texts and mappings, never the database: `worker.apply` compares what is declared with what is stored.
Every mistake is found in one go, each under its path (`jobs.orders.streams[0].cursor`) and, in a file, its position.
"""

from worker.declaration.alerts import (
    alert_document,
    literal_alert_secrets,
    parse_alert,
    what_it_tells,
)
from worker.declaration.connections import (
    connection_document,
    literal_secrets,
    parse_connection,
    resolve,
    secret_fields,
)
from worker.declaration.file import Declaration, load, load_job, print_file, print_job
from worker.declaration.jobs import job_document, parse_job

__all__ = [
    "Declaration",
    "alert_document",
    "connection_document",
    "job_document",
    "literal_alert_secrets",
    "literal_secrets",
    "load",
    "load_job",
    "parse_alert",
    "parse_connection",
    "parse_job",
    "print_file",
    "print_job",
    "resolve",
    "secret_fields",
    "what_it_tells",
]
