"""What `python3 -m helpers` does before anything is installed: make `.venv` from the lock.

Standard library only, and it knows no other room but `helpers.cli`, whose command it runs.

- `start`: the command line, and the hand-over to the environment's own Python
- `environment`: the folder `.venv`: what state it is in, and what to do about it
- `installers`: uv where it is on the path, else venv and pip
- `settings`: which of the user's settings reach Python, uv and pip
- `running`: run one of their commands, with progress on the screen and a log
- `advice`: what went wrong, in one sentence that says what to do
- `turn`: one set-up at a time
"""
