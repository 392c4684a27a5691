"""What went wrong during set-up, in one sentence that says what to do next."""

import errno
import re


class SetUpError(Exception):
    """Set-up cannot go on; the message says what to do."""


AGAIN = "Then run the same command again: it goes on where it stopped."

HASH = (
    "A downloaded package is not the one that the lock names (its hash differs), so it was not "
    "installed. A proxy or a mirror may have changed it: try another network, or a folder of "
    "wheels with --wheels DIR. If it happens again, report it with the package's name."
)
DISK = f"The disk is full. Free some space or move this folder to another disk. {AGAIN}"
NETWORK = (
    "The packages could not be downloaded: the network is away, or a proxy is in between. "
    f"Connect, or use a folder of wheels with --wheels DIR. {AGAIN}"
)
CERTIFICATE = (
    "The package server's certificate was not accepted. Where a company inspects the traffic, "
    f"set SSL_CERT_FILE and PIP_CERT to its certificate file. {AGAIN}"
)
MISSING = (
    "A package of the lock was not found. Without --wheels: if this machine reaches no network "
    "(or a proxy is in between), connect and run the same command again; if it does, there may be "
    "no package for this machine and this Python (README lists the platforms that have every one). "
    "With --wheels DIR: the folder was filled on another kind of machine or for another Python."
)
DATED = (
    "A package of the lock is newer than a date that uv's configuration sets for an index "
    "(exclude-newer). The lock already fixes every package by its hash: take the date out, or use "
    f"a folder of wheels with --wheels DIR. {AGAIN}"
)
PERMISSION = (
    "A file in the course's folder cannot be written. Close JupyterLab and notebooks that are "
    "open, and check that the folder is yours (was it made by another user, or by root?). "
    f"{AGAIN}"
)
LONG_PATH = (
    "A path is too long for Windows. Move the course to a folder near the drive's root, such as "
    f"C:\\course. {AGAIN}"
)
COLON = (
    "The path of the course's folder contains {0!r}, which separates the folders of PATH: no "
    "program in it could be found. Rename that folder, and run the same command again."
)
INCOMPLETE = (
    "The installer reported success, but .venv does not hold all that the lock lists: {0}. A "
    "setting of this machine, or a program that replaces uv, may have installed the packages "
    "elsewhere. Look in {1} for the place, remove the cause, delete .venv and run the same "
    "command again."
)
VENV = (
    "This Python has no venv and ensurepip. On Debian or Ubuntu: sudo apt install python3-venv. "
    f"Elsewhere install Python from python.org, or uv. {AGAIN}"
)

# Searched in this order: pip ends a network failure with a line that also says "not found".
CAUSES = (
    (r"DO NOT MATCH THE HASHES|[Hh]ash mismatch", HASH),
    (r"No space left on device|os error 28|Errno 28|not enough space on the disk", DISK),
    (r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate|SSLError", CERTIFICATE),
    (
        r"Failed to establish a new connection|Max retries exceeded|ProxyError|ConnectTimeout"
        r"|ReadTimeout|connection broken by|ConnectionResetError"
        r"|Temporary failure in name resolution|Failed to fetch|error sending request"
        r"|dns error|client error \(Connect\)|operation timed out|Network connectivity is disabled",
        NETWORK,
    ),
    (r"enable-long-paths|Long Path support|os error 206", LONG_PATH),
    (r"No module named '?ensurepip|ensurepip is not available|No module named '?venv", VENV),
    (r"filtered by `exclude-newer`", DATED),
    (
        r"No matching distribution|Could not find a version|no wheels with a matching|no version of"
        r"|has no usable wheels|not found in the provided package locations|No solution found",
        MISSING,
    ),
    (r"Permission denied|os error 13|os error 5\b|Access is denied|Errno 13", PERMISSION),
)


def advise(output: str) -> str:
    """The sentence for a failed installer, from what it printed; its last lines when unknown."""
    for pattern, sentence in CAUSES:
        if re.search(pattern, output):
            return sentence
    last = "\n".join("  " + line for line in output.rstrip().splitlines()[-12:])
    return f"The installer failed. Its last lines:\n{last}"


def advise_on(error: OSError) -> str:
    """The sentence for a file operation of the launcher's own that failed."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DISK
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{PERMISSION}\n  {error}"
    return f"A file could not be read or written: {error}"
