"""The half that moves data: lease, scheduler, runner, sync engine, connectors."""

__version__ = "0.1.0"
