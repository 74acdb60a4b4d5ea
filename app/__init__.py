"""The half that people and programs talk to: supervisor, API, dashboard, command line."""
