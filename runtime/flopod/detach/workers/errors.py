"""What fails a handle where the child itself gave no error."""


class WorkerDied(RuntimeError):
    """The process of a worker ended before the child that it was running, or before it could take one."""


class ChildExited(RuntimeError):
    """A child ended by what would end a program or a task, such as SystemExit, which is its cause."""


def failure_of(error: BaseException) -> Exception:
    """Return an error that may be raised where a handle is waited for: one that ends no one but the child."""
    if isinstance(error, Exception):
        return error
    failure = ChildExited(f"the child ended by {error!r}")
    failure.__cause__ = error
    return failure
