"""Start a Jupyter kernel that the operating system holds to limits.

Run as a program: `python launch.py MEGABYTES CONNECTION_FILE`. The limits hold for the kernel and
what it starts: address space, the size of a file, and no core dumps. Windows has no such limits
(the `resource` module is missing there), and macOS does not enforce the one on address space; on
both, only the grader, which watches memory and time, ends a submission.
"""

import sys


def limit(megabytes: int) -> None:
    """Limit this process and its children."""
    try:
        import resource
    except ImportError:
        return
    # Address space is more than memory: libraries and threads reserve far more than they use.
    wanted = {
        resource.RLIMIT_AS: (megabytes + 4096) << 20,
        resource.RLIMIT_FSIZE: 2 << 30,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        _, hard = resource.getrlimit(kind)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))


def main() -> None:
    """Limit this process, then become a kernel."""
    megabytes, connection_file = int(sys.argv[1]), sys.argv[2]
    sys.path.pop(0)  # this file's own folder: a submission has no business with the grader
    limit(megabytes)
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(argv=["-f", connection_file, "--log-level=ERROR"])


if __name__ == "__main__":
    main()
