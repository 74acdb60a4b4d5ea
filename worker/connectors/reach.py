"""Reach a server as far as any client must: its name, its port, a TLS handshake. It speaks no database's protocol."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worker.connectors.trial import Misstep, Step

PROBE = 5.0
_NOBODY = "Nothing listens there: check the port, and that the server runs."
_SILENT = "Nobody answers: check the address, and that no firewall drops what is sent."


class Reach:
    """The hosts of a URL, of which one will do. A host that begins with `/` is the folder or path of a Unix socket."""

    def __init__(self, hosts: Sequence[tuple[str, int]], *, socket_name: str = "") -> None:
        self._hosts = hosts
        self._socket_name = socket_name
        self._addresses: list[tuple[str, int, socket.AddressFamily, Any]] = []
        self.socket: socket.socket | None = None
        self.host = hosts[0][0] if hosts else ""

    def resolve(self) -> None:
        """Raise Misstep(name) where no host is known."""
        unknown = []
        for host, port in self._hosts:
            if host.startswith("/"):
                place = str(Path(host, self._socket_name)) if self._socket_name else host
                self._addresses.append((place, port, socket.AF_UNIX, place))
                continue
            try:
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                unknown.append(f"the name {host} is not known: {getattr(error, 'strerror', None) or error}")
                continue
            self._addresses += [(host, port, family, address) for family, _, _, _, address in found]
        if not self._addresses:
            raise Misstep(Step.NAME, _sentence("; ".join(unknown)))

    def connect(self) -> None:
        """Raise Misstep(tcp) where no address takes a connection."""
        reasons: dict[str, OSError] = {}
        for host, port, family, address in self._addresses:
            probe = socket.socket(family, socket.SOCK_STREAM)
            probe.settimeout(PROBE)
            try:
                probe.connect(address)
            except OSError as error:
                probe.close()
                place = host if family is socket.AF_UNIX else f"{host}, port {port}"
                reasons[place] = error
                continue
            self.socket, self.host = probe, host
            return
        words = "; ".join(f"{place}, cannot be reached: {_words(error)}" for place, error in reasons.items())
        refused = all(error.errno in (errno.ECONNREFUSED, errno.ENOENT) for error in reasons.values())
        raise Misstep(Step.TCP, _sentence(words), _NOBODY if refused else _SILENT)

    def handshake(self, context: ssl.SSLContext) -> None:
        """Raise Misstep(tls) where the server and `context` come to no agreement. Afterwards `socket` is encrypted."""
        assert self.socket is not None
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            message = f"The certificate of {self.host} is not accepted: {error.verify_message or error.reason}."
            hint = "Name the authority that signed it in the URL, or the name that the certificate is for."
            raise Misstep(Step.TLS, message, hint) from None
        except ssl.SSLError as error:
            raise Misstep(
                Step.TLS, f"There is no agreement on TLS with {self.host}: {error.reason or error}."
            ) from None
        except (OSError, ValueError) as error:
            raise Misstep(Step.TLS, f"{self.host} ended the TLS handshake: {_words(error)}.") from None

    def speaks_tls(self) -> bool:
        """Whether the server begins a TLS handshake on a new connection, whatever its certificate."""
        self.close()
        try:
            self.connect()
            self.handshake(unverified())
        except Misstep:
            return False
        finally:
            self.close()
        return True

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def unverified() -> ssl.SSLContext:
    """A context that takes any certificate: only to learn whether there is TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def verified(authority: str | None, *, names: bool) -> ssl.SSLContext:
    """A context that checks the certificate by the file `authority` or the system's, and its name where `names`.

    Raises Misstep(tls) where that file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise Misstep(Step.TLS, f"{authority} is no file of certificates: {_words(error)}.") from None
    context.check_hostname = names
    return context


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {PROBE:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
