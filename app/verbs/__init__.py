"""What the verbs of the command line do: arguments in, output printed, an exit code back. `app.cli` names them."""
