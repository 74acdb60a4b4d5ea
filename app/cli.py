"""The command line: verbs in, exit codes out. What a verb does is in `app.verbs`.

Exit codes: 0 done; 1 failed or cancelled; 2 bad configuration or bad input; 3 no database within 10 s; 4 held.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from app import access_verbs
from app.arguments import Verbs as _Verbs
from app.arguments import count, few, seconds
from app.arguments import json_flag as _json
from worker import __version__
from worker.errors import BadInput, Fault, NotFound, StoreUnavailable, SyncworkerError
from worker.logs import redact
from worker.run import RunState, Trigger

DONE, FAILED, BAD, NO_DATABASE = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what `arguments` (the process's, by default) say; without a verb, start. Returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.verb(given)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader had enough, as `| head` has; nothing must be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except BadInput as error:
        for fault in error.faults:
            _tell(f"{fault.field} {fault.message}".strip())
        return BAD
    except NotFound as error:
        _tell(str(error))
        return BAD
    except StoreUnavailable as error:
        _tell(f"{error}; is MONGO_URL right, and does MongoDB run?")
        return NO_DATABASE
    except SyncworkerError as error:
        _tell(str(error))
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    return code


def _tell(text: str) -> None:
    print(f"syncworker: {redact(text)}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="syncworker",
        description="Keeps data in step: scheduled sync jobs from databases and files into your own database.",
        epilog="Settings are environment variables, or a .env file in this folder: docs/settings.md. "
        "Without a verb, it starts.",
    )
    parser.add_argument("--version", action="version", version=f"syncworker {__version__}")
    parser.set_defaults(verb=_start)
    verbs = _Verbs(parser)
    _serving(verbs)
    _declaring(verbs)
    _showing(verbs)
    _probing(verbs)
    _acting(verbs)
    _sealing(verbs)
    access_verbs.add(verbs)
    return parser


def _serving(verbs: _Verbs) -> None:
    verbs.add("start", _start, "start everything", "In development a supervisor with its children, in production one "
              "process; APP_ENV says which.")  # fmt: skip
    verbs.add("api", _api, "serve the API and the dashboard", "With the worker inside where ENABLE_SYNC_WORKER=true.")
    verbs.add("worker", _worker, "schedule and run jobs, without an HTTP port")


def _declaring(verbs: _Verbs) -> None:
    apply = _json(verbs.add("apply", _apply, "make the database what a file says", "Needs no server. All of it is done "
                            "or nothing. What the file does not name stays, unless --prune is given."))  # fmt: skip
    apply.add_argument("file", metavar="FILE")
    apply.add_argument("--prune", action="store_true", help="delete what the file does not name")
    apply.add_argument("--dry-run", action="store_true", help="show the difference and what it means, change nothing")
    apply.add_argument("--yes", action="store_true", help="do not ask before --prune deletes")
    validate = _json(verbs.add("validate", _validate, "check files", "Prints every mistake as FILE:LINE:COLUMN: "
                               "message. Needs no database."))  # fmt: skip
    validate.add_argument("files", metavar="FILE", nargs="+")
    export = verbs.add("export", _export, "print all connections, jobs and alerts as a file", "Literal secrets are "
                       "printed as ${CONNECTION_FIELD}.")  # fmt: skip
    export.add_argument("--job", metavar="JOB", action="append", help="only this one and its connections, and no "
                        "alert; repeatable")  # fmt: skip
    verbs.add("schema", _schema, "print the JSON Schema of the file, for editors", "Needs no database.")
    release = verbs.add("release", _release, "take a file's jobs out of its hands", "For a file that JOBS_FILE "
                        "names no longer: its connections, jobs and alerts stay, and can be changed.")  # fmt: skip
    release.add_argument("file", metavar="FILE", help="as the jobs name their owner")
    following = verbs.add("next", _next, "print the next fire times of a schedule", "UTC, one a line, with a note "
                          "where a clock change touches one. Needs no database.")  # fmt: skip
    following.add_argument("cron", metavar="CRON", nargs="?", help="five fields, quoted: '*/5 * * * *'")
    following.add_argument("--every", metavar="DURATION", help="an interval in place of CRON: 15m")
    following.add_argument("--timezone", metavar="TZ", default="UTC", help="an IANA zone, UTC by default")
    following.add_argument("--after", metavar="TIME", help="count from here (exclusive), now by default")
    following.add_argument("-n", "--count", type=count, default=5, help="how many, 5 by default")


def _showing(verbs: _Verbs) -> None:
    for name, verb, text in (
        ("status", _status, "show who leads, what runs and what is next"),
        ("jobs", _jobs, "list the jobs"),
        ("check", _check, "name what is wrong with the set-up"),
    ):
        _json(verbs.add(name, verb, text))
    drill = _json(verbs.add("drill", _drill, "try the promises on your MongoDB", "Throw-away instances in databases of "
                            "their own are killed, frozen and stopped; then it counts. Cleans up after itself. Exits 1 "
                            "where a promise broke."))  # fmt: skip
    drill.add_argument("--seconds", type=seconds, default=20, help="deal blows for so long, 20 by default; the whole "
                       "takes some 15 s more")  # fmt: skip
    drill.add_argument("--keep", action="store_true", help="leave the databases and the folder, to look at")
    runs = _json(verbs.add("runs", _runs, "list runs, newest first"))
    runs.add_argument("--job", metavar="JOB", help="only those of this job")
    runs.add_argument("--state", choices=[str(state) for state in RunState], action="append", help="only those in it")
    runs.add_argument("--trigger", choices=[str(one) for one in Trigger], action="append", help="only those it began")
    runs.add_argument("--since", metavar="TIME", help="only those queued since; a time, or a duration such as 2h")
    runs.add_argument("-n", "--count", type=count, default=20, help="how many, 20 by default")
    logs = _json(verbs.add("logs", _logs, "print what a run said"))
    logs.add_argument("run", metavar="RUN")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the run ends")
    logs.add_argument("--level", choices=("debug", "info", "warning", "error"), help="leave out what is less grave")


def _probing(verbs: _Verbs) -> None:
    test = _json(verbs.add("test", _test, "try a connection, step by step", "Name, port, TLS, login, permission and a "
                           "query, each measured. Exits 1 where one fails."))  # fmt: skip
    streams = _json(verbs.add("streams", _streams, "list what a connection could be read for"))
    preview = _json(verbs.add("preview", _preview, "print the first rows of a stream"))
    for one in (test, streams, preview):
        one.add_argument("connection", metavar="CONNECTION")
    test.add_argument("--as", dest="end", choices=("source", "destination"), help="what it must be good for, in place "
                      "of what its jobs use it for")  # fmt: skip
    preview.add_argument("stream", metavar="STREAM")
    preview.add_argument("-n", "--count", type=few, default=20, help="how many, 20 by default, up to 100")
    alerts = _json(verbs.add("alerts", _alerts, "list the alerts, or try one", "Each with where it leads, what it "
                             "tells, what waits and the last error."))  # fmt: skip
    alerts.set_defaults(alert=None)
    own = alerts.add_subparsers(metavar="VERB")
    # What the verb before has said of --json must not be forgotten by this one's own default.
    tried = own.add_parser("test", help="send a test message; exits 1 where it does not arrive",
                           description="Send one message that says it is a test, on the way of every message. Exits 1 "
                           "where it does not arrive.", argument_default=argparse.SUPPRESS)  # fmt: skip
    _json(tried).add_argument("alert", metavar="ALERT")


def _acting(verbs: _Verbs) -> None:
    run = _json(verbs.add("run", _run, "run a job now, here, and watch it", "Needs no server. Ctrl-C cancels. "
                          "Exits 0 succeeded, 1 failed or cancelled, 4 held."))  # fmt: skip
    run.add_argument("job", metavar="JOB")
    run.add_argument("--file", metavar="FILE", help="apply this job and its connections from FILE first")
    run.add_argument("--dry-run", action="store_true", help="tell what the run would do to each stream; write nothing")
    run.add_argument("--stream", metavar="STREAM", help="with --dry-run: only this one, in place of all")
    undo = _json(verbs.add("undo", _undo, "take a job back to before its last replace", "Needs `undo` on the job or "
                           "the stream. What is there now is kept, so that it can be undone too."))  # fmt: skip
    undo.add_argument("job", metavar="JOB")
    undo.add_argument("--stream", metavar="STREAM", help="only this one, in place of all that are kept")
    undo.add_argument("--yes", action="store_true", help="do not ask before")
    verify = _json(verbs.add("verify", _verify, "compare a job's destination with its source", "Names the rows that "
                             "differ. A run of the job that moves nothing: exits 0 where all are equal or were "
                             "repaired, 1 where rows differ."))  # fmt: skip
    verify.add_argument("job", metavar="JOB")
    verify.add_argument("--stream", metavar="STREAM", help="only this one, in place of all")
    verify.add_argument("--repair", action="store_true", help="read the rows that differ again, and write them")
    for name, verb, text in (
        ("cancel", _cancel, "cancel a queued, running or held run"),
        ("retry", _retry, "queue a new run that goes on where a failed or cancelled one ended"),
        ("approve", _approve, "let a held run go on"),
        ("discard", _discard, "end a held run; nothing is removed"),
    ):
        _json(verbs.add(name, verb, text)).add_argument("run", metavar="RUN")


def _sealing(verbs: _Verbs) -> None:
    secrets = _json(verbs.add("secrets", _secrets, "seal all secrets anew, or list what is sealed", "`rotate` puts all "
                              "under the first of SECRET_KEY's keys; it can be broken off, repeated, and run beside "
                              "live instances. Exits 1 where something does not open."))  # fmt: skip
    secrets.add_argument("deed", choices=("rotate", "list"), metavar="rotate|list")


# The verbs. Each imports what it needs: `next` must not wait for a database driver.


def _start(_: argparse.Namespace) -> int:
    from app import main as program

    return program.start(program.environment())


def _api(_: argparse.Namespace) -> int:
    from app import main as program

    return program.api(program.environment())


def _worker(_: argparse.Namespace) -> int:
    from app import main as program

    return program.worker(program.environment())


def _apply(given: argparse.Namespace) -> int:
    from app.verbs import declare

    return declare.apply(given.file, prune=given.prune, dry_run=given.dry_run, yes=given.yes, as_json=given.json)


def _validate(given: argparse.Namespace) -> int:
    from app.verbs import declare

    return declare.validate(given.files, as_json=given.json)


def _export(given: argparse.Namespace) -> int:
    from app.verbs import declare

    return declare.export(given.job)


def _schema(_: argparse.Namespace) -> int:
    from app.verbs import schema

    return schema.schema()


def _release(given: argparse.Namespace) -> int:
    from app.verbs import declare

    return declare.release(given.file)


def _next(given: argparse.Namespace) -> int:
    from app.verbs import following

    return following.show(given.cron, given.every, zone=given.timezone, after=given.after, count=given.count)


def _status(given: argparse.Namespace) -> int:
    from app.verbs import show

    return show.status(as_json=given.json)


def _jobs(given: argparse.Namespace) -> int:
    from app.verbs import show

    return show.jobs(as_json=given.json)


def _runs(given: argparse.Namespace) -> int:
    from app.verbs import show

    return show.runs(given.job, given.state, given.trigger, given.since, count=given.count, as_json=given.json)


def _logs(given: argparse.Namespace) -> int:
    from app.verbs import show

    return show.logs(given.run, level=given.level, follow=given.follow, as_json=given.json)


def _check(given: argparse.Namespace) -> int:
    from app.verbs import check

    return check.check(as_json=given.json)


def _drill(given: argparse.Namespace) -> int:
    from app.verbs import drill

    return drill.drill(seconds=given.seconds, as_json=given.json, keep=given.keep)


def _test(given: argparse.Namespace) -> int:
    from app.verbs import probe

    return probe.test(given.connection, end=given.end, as_json=given.json)


def _streams(given: argparse.Namespace) -> int:
    from app.verbs import probe

    return probe.streams(given.connection, as_json=given.json)


def _preview(given: argparse.Namespace) -> int:
    from app.verbs import probe

    return probe.preview(given.connection, given.stream, count=given.count, as_json=given.json)


def _alerts(given: argparse.Namespace) -> int:
    from app.verbs import alerts

    return alerts.list_(as_json=given.json) if given.alert is None else alerts.test(given.alert, as_json=given.json)


def _run(given: argparse.Namespace) -> int:
    if given.dry_run:
        from app.verbs import dry

        return dry.dry_run(given.job, given.file, stream=given.stream, as_json=given.json)
    if given.stream is not None:
        raise BadInput([Fault(field="--stream", message="goes with --dry-run; a run moves all its streams")])
    from app.verbs import run

    return run.run(given.job, given.file, as_json=given.json)


def _undo(given: argparse.Namespace) -> int:
    from app.verbs import undo

    return undo.undo(given.job, given.stream, yes=given.yes, as_json=given.json)


def _verify(given: argparse.Namespace) -> int:
    from app.verbs import verify

    return verify.verify(given.job, given.stream, repair=given.repair, as_json=given.json)


def _cancel(given: argparse.Namespace) -> int:
    from app.verbs import act

    return act.cancel(given.run, as_json=given.json)


def _retry(given: argparse.Namespace) -> int:
    from app.verbs import act

    return act.retry(given.run, as_json=given.json)


def _approve(given: argparse.Namespace) -> int:
    from app.verbs import act

    return act.approve(given.run, as_json=given.json)


def _discard(given: argparse.Namespace) -> int:
    from app.verbs import act

    return act.discard(given.run, as_json=given.json)


def _secrets(given: argparse.Namespace) -> int:
    from app.verbs import secrets

    return secrets.rotate(as_json=given.json) if given.deed == "rotate" else secrets.show(as_json=given.json)
