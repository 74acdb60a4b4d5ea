"""The parts that every verb's parser is made of. What a verb does is elsewhere."""

from __future__ import annotations

import argparse
from collections.abc import Callable

Verb = Callable[[argparse.Namespace], int]


class Verbs:
    """The verbs of the parser, each with its own help."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(title="verbs", metavar="VERB")

    def add(self, name: str, verb: Verb, text: str, detail: str = "") -> argparse.ArgumentParser:
        added = self._parsers.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}. {detail}".strip())
        added.set_defaults(verb=verb)
        return added


def json_flag(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--json", action="store_true", help="for programs: JSON on standard output")
    return parser


def count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 10_000:
        raise argparse.ArgumentTypeError("allowed: 1 to 10000")
    return number


def few(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100:
        raise argparse.ArgumentTypeError("allowed: 1 to 100")
    return number


def seconds(text: str) -> float:
    number = float(text)
    if not 1 <= number <= 3600:
        raise argparse.ArgumentTypeError("allowed: 1 to 3600")
    return number
