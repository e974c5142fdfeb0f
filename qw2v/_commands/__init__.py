"""The commands of the command line, a room each: `describe` says what it takes, `run` does it."""
