"""Match the regular expressions of a schema; none can stop a process.

A schema comes with a model from anywhere. Python's `re` can take longer than the universe has for `(a+)+b`, so the
`regex` package runs patterns, which gives up after a time; it is installed wherever transformers is. An engine of
linear time, such as RE2, would be one more requirement of each published model, knows no `\\w` or `\\d` of Chinese
text and no look-around.
"""

from functools import cache
from typing import Any

LONGEST = 1000
"""Characters that a pattern may have; reading a longer one could take long."""

TIME_LIMIT = 1.0
"""Seconds of processor time after which a match is given up; an honest pattern takes microseconds."""

_too_slow: set[str] = set()


@cache
def _compiled(pattern: str) -> Any:
    import regex  # which takes a while to import, and many schemas have no pattern

    return regex.compile(pattern)


def check_pattern(pattern: str) -> None:
    """Check that a string is a regular expression that [`matches`] can run.

    Raises:
        ValueError: it is too long, or not a regular expression of the `regex` package, whose syntax is that of `re`.
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"is a pattern of {len(pattern):,} characters: expected at most {LONGEST:,}; shorten it")
    import regex

    try:
        _compiled(pattern)
    except (regex.error, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else error
        raise ValueError(f"is not a regular expression: {what}") from None


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern matches a whole text; an empty pattern matches all texts.

    Raises:
        ValueError: the pattern took longer than [`TIME_LIMIT`], on this text or once before in this process.
    """
    if not pattern:
        return True
    if pattern not in _too_slow:
        try:
            return _compiled(pattern).fullmatch(text, timeout=TIME_LIMIT) is not None
        except TimeoutError:
            _too_slow.add(pattern)  # so that a million texts do not take a million times the limit
    raise ValueError(
        f"the schema's pattern {pattern!r:.200} took longer than {TIME_LIMIT:g} s for one mention; write it without a "
        f"repetition inside a repetition, such as a+ for (a+)+, or extract without the rules"
    )
