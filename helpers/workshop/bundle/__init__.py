"""A folder for a USB stick: the course and its packages, to install from without a network.

- `targets`: a platform and a Python: which entries of the lock it needs, which wheels fit it
- `wheels`: download what is missing
- `folder`: make the folder, and verify one
- `start`: the program that a participant runs; it is copied into the folder
- `command`: `course bundle`
"""
