"""Errors that `except Exception` does not catch, although they are failures of one text."""


def as_exception(error: BaseException) -> Exception:
    """Return an error as an `Exception`: a panic of Rust code, such as a tokenizer's, is only a `BaseException`.

    Raises:
        KeyboardInterrupt, SystemExit, GeneratorExit: given one of these, which ask the program to stop.
    """
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
        raise error
    return error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}: {error}")
