"""MongoDB as a source and a destination: collections and views are streams, `_id` is their key.

The halves are in `mongodb_source.py` and `mongodb_writer.py`; here are the settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from worker.connectors.protocol import ConnectorSettings
from worker.connectors.url_options import check_hosts, check_parameters

if TYPE_CHECKING:
    from worker.connectors.mongodb_source import MongoDBSource
    from worker.connectors.mongodb_writer import MongoDBDestination
    from worker.connectors.trial import Stage

# What of the driver's parameters a URL may have; see url_options. Left out are logins that ask a cloud's metadata
# address or run a library (MONGODB-AWS, MONGODB-OIDC, GSSAPI). `compressors` is taken, but none is ever negotiated.
PARAMETERS: Mapping[str, str | None] = {
    "authmechanism": "DEFAULT|SCRAM-SHA-1|SCRAM-SHA-256|PLAIN|MONGODB-X509",
    **dict.fromkeys(("tlscafile", "tlscertificatekeyfile", "tlscrlfile"), "file"),
    **dict.fromkeys(
        ("authsource", "tls", "ssl", "tlsinsecure", "tlscertificatekeyfilepassword", "appname", "timeoutms")
    ),
    **dict.fromkeys(("tlsallowinvalidcertificates", "tlsallowinvalidhostnames", "tlsdisableocspendpointcheck")),
    **dict.fromkeys(("replicaset", "directconnection", "loadbalanced", "srvservicename", "srvmaxhosts")),
    **dict.fromkeys(("readpreference", "readpreferencetags", "maxstalenessseconds", "localthresholdms")),
    **dict.fromkeys(("readconcernlevel", "w", "wtimeoutms", "wtimeout", "journal", "retrywrites", "retryreads")),
    **dict.fromkeys(("connecttimeoutms", "sockettimeoutms", "serverselectiontimeoutms", "heartbeatfrequencyms")),
    **dict.fromkeys(("maxpoolsize", "minpoolsize", "maxidletimems", "maxconnecting", "waitqueuetimeoutms")),
    **dict.fromkeys(("uuidrepresentation", "servermonitoringmode", "compressors", "zlibcompressionlevel")),
}


class MongoDBSettings(ConnectorSettings):
    """Where the server is, and which of its databases is meant."""

    url: str = Field(
        title="URL",
        description="mongodb://user:password@host:27017/?replicaSet=rs0, or mongodb+srv://…",
        json_schema_extra={"secret": True},
    )
    database: str = Field(min_length=1, max_length=63, title="Database")
    timestamps: Literal["date", "text"] = Field(
        "date", title="Timestamps", description="written as a Date (milliseconds), or as text with all digits"
    )

    @field_validator("url")
    @classmethod
    def _is_mongodb(cls, url: str) -> str:
        if not url.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must begin with mongodb:// or mongodb+srv://")
        check_hosts(url)
        check_parameters(url, PARAMETERS)
        return url

    @field_validator("database")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if set(name) & set('/\\. "$*<>:|?\0'):
            raise ValueError("has a character that MongoDB does not allow in a database's name")
        return name


class MongoDB:
    """The connector named `mongodb`."""

    settings: ClassVar[type[ConnectorSettings]] = MongoDBSettings
    stream_options: ClassVar[frozenset[str]] = frozenset({"timestamps"})
    source_options: ClassVar[Mapping[str, type]] = {"filter": dict}

    @staticmethod
    def stages(settings: MongoDBSettings) -> Iterator[Stage]:
        from worker.connectors import mongodb_trial

        return mongodb_trial.stages(settings)

    @staticmethod
    def source(settings: MongoDBSettings) -> MongoDBSource:
        from worker.connectors.mongodb_source import MongoDBSource

        return MongoDBSource(settings)

    @staticmethod
    def destination(settings: MongoDBSettings) -> MongoDBDestination:
        from worker.connectors.mongodb_writer import MongoDBDestination

        return MongoDBDestination(settings)
