"""The verbs that guard: `tokens`, `hash-password` and `audit`, as arguments; `app.verbs` does what they say."""

from __future__ import annotations

import argparse

from app.arguments import Verbs, count, json_flag


def add(verbs: Verbs) -> None:
    tokens = verbs.add("tokens", _tokens, "list, create and revoke tokens", "They are credentials of programs. Without "
                       "a verb of its own, it lists them.")  # fmt: skip
    json_flag(tokens).set_defaults(verb_of_tokens="list")
    own = tokens.add_subparsers(metavar="VERB")
    for name, text in (("list", "list all tokens"), ("create", "make one"), ("revoke", "end one at once")):
        # What the verb before has said of --json must not be forgotten by this one's own default.
        added = own.add_parser(name, help=text, argument_default=argparse.SUPPRESS)
        json_flag(added).set_defaults(verb_of_tokens=name)
        if name == "create":
            added.add_argument("name", metavar="NAME", help="to know it by in lists and in the audit")
            added.add_argument("--scope", choices=("read", "operate", "admin"), required=True, help="what it may")
            added.add_argument("--expires-in", metavar="DURATION", default=None, help="30d; without it, never")
        elif name == "revoke":
            added.add_argument("id", metavar="ID", help="of `syncworker tokens list`, not the token itself")
    verbs.add("hash-password", _hash_password, "print what ADMIN_PASSWORD may be in place of the password", "Reads the "
              "password from standard input, or asks. Needs no database.")  # fmt: skip
    audit = json_flag(verbs.add("audit", _audit, "list who did what, newest first"))
    audit.add_argument("--subject", help="only of these: jobs, jobs/orders, runs/ID, connections/shop, tokens, …")
    audit.add_argument("--who", help="only by this one")
    audit.add_argument("--action", help="only these deeds: job, job.update, login.failed, …")
    audit.add_argument("--since", metavar="TIME", help="only since; a time, or a duration such as 2h")
    audit.add_argument("-n", "--count", type=count, default=20, help="how many, 20 by default")


def _tokens(given: argparse.Namespace) -> int:
    from app.verbs import tokens

    if given.verb_of_tokens == "create":
        return tokens.create(given.name, given.scope, given.expires_in, as_json=given.json)
    if given.verb_of_tokens == "revoke":
        return tokens.revoke(given.id, as_json=given.json)
    return tokens.list_(as_json=given.json)


def _hash_password(_: argparse.Namespace) -> int:
    from app.verbs import tokens

    return tokens.hash_password()


def _audit(given: argparse.Namespace) -> int:
    from app.verbs import audit

    return audit.audit(given.subject, given.who, given.action, since=given.since, count=given.count, as_json=given.json)
