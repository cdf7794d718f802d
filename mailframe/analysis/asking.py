"""Functions of a frame as methods of what holds the frame."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["ask"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Holder(Protocol):
    _frame: pd.DataFrame


def ask(
    function: Callable[Concatenate[pd.DataFrame, _P], _R],
) -> Callable[Concatenate[Any, _P], _R]:
    """Make a method of a function of a frame: its name, arguments and description are the same.

    Parameters
    ----------
    function
        Whose first argument is the frame.

    Returns
    -------
    callable
        A method of a class whose objects have the frame as ``_frame``.

    Examples
    --------
    >>> import pandas as pd
    >>> class Held:
    ...     _frame = pd.DataFrame({"size": [1, 2]})
    ...     total = ask(lambda frame: int(frame["size"].sum()))
    >>> Held().total()
    3
    """

    @functools.wraps(function)
    def method(self: _Holder, /, *args: _P.args, **options: _P.kwargs) -> _R:
        return function(self._frame, *args, **options)

    signature = inspect.signature(function)
    _, *others = signature.parameters.values()
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__signature__ = signature.replace(parameters=[own, *others])  # type: ignore[attr-defined]
    return method
