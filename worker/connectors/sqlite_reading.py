"""What a connection that reads a SQLite file may do: select, and keep a copy in its own temporary tables.

SQLite asks for each part of a statement before it runs, whatever a job's SQL or the file's own views make of it.
https://www.sqlite.org/c3ref/set_authorizer.html
"""

from __future__ import annotations

import sqlite3

_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_TRANSACTION})
# Ours: the view that a query becomes, and the table into which rows are taken.
_TEMPORARY = frozenset({sqlite3.SQLITE_CREATE_TEMP_VIEW, sqlite3.SQLITE_CREATE_TEMP_TABLE})
_CHANGING = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_PRAGMAS = frozenset({"table_xinfo", "table_info", "index_list", "index_info", "journal_mode"})
_ACTING = frozenset({"load_extension", "readfile", "writefile", "edit", "fsdir", "zipfile", "fts3_tokenizer"})


def may(action: int, first: str | None, second: str | None, database: str | None, _: str | None) -> int:
    """SQLITE_OK or SQLITE_DENY, as an authorizer answers."""
    good = (
        action in _READING
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _ACTING)
        or action in _TEMPORARY
        or (action in _CHANGING and database == "temp")
        # So SQLite asks before it looks at a table-valued function (`json_each`); the file is open for reading only.
        or (action == sqlite3.SQLITE_UPDATE and first == "sqlite_master")
        or (action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS and (first != "journal_mode" or second is None))
    )
    return sqlite3.SQLITE_OK if good else sqlite3.SQLITE_DENY
