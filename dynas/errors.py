"""The one exception that users are meant to see."""


class DynasError(Exception):
    """A request that cannot be met: its message says what was given, what is allowed and what to type."""


def one_of(what: str, given: object, allowed: object) -> DynasError:
    """Return the error for a value outside a closed list of names."""
    names = ", ".join(str(name) for name in sorted(allowed))  # type: ignore[call-overload]
    return DynasError(f"unknown {what} '{given}': choose one of {names}")


class DynasWarning(UserWarning):
    """A request that can be met, but that another one would serve better."""


def os_sentence(error: OSError) -> str:
    """Return what the operating system refused in one sentence."""
    return f"'{error.filename}': {error.strerror}" if error.filename else str(error.strerror or error)
