"""SQL that a job may hold (`where`, `query`): it is read by the server, and may do nothing there but read.

The transaction is read-only and takes one statement; this is the second lock, for functions that act all the same: on
the server's files, on other sessions, on other servers. What the database's user may not do, nobody can here: give the
connection one that may only read. Words are looked for anywhere, in texts and comments too: rather one query too many.
"""

from __future__ import annotations

import re

_ACTING = re.compile(
    r"\b(pg_(read|ls|stat|write|terminate|cancel|reload|rotate|switch|promote|create|drop|replication|logical|advisory|"
    r"try_advisory|file|start_backup|stop_backup|backup|import|export|notify|sleep)\w*"
    r"|lo_(creat|create|open|close|get|put|lseek\w*|tell\w*|truncate\w*|unlink|import\w*|export|from_bytea)"
    r"|loread|lowrite|dblink\w*|set_config|setval|nextval|xpath_table"
    r"|(query|cursor|table|schema|database)_to_xml\w*)\b",
    re.IGNORECASE,
)
_ESCAPED_NAME = re.compile(r"\bu&\s*\"", re.IGNORECASE)


def refusal(sql: str) -> str | None:
    """Why this text may not be a part of a statement; None where it may."""
    if "\0" in sql:
        return "has a NUL"
    if _ESCAPED_NAME.search(sql):
        return 'has an escaped name (U&"…"); write it as it is'
    found = _ACTING.search(sql)
    return f"names {found[0]}, which does more than read; a job's SQL may only read" if found else None
