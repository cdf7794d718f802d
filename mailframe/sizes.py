"""Sizes as people write them."""

from __future__ import annotations

__all__ = ["in_bytes"]

_KILO = 1000  # as SI has it, and search criteria: a KiB is 1,024 (IEC 80000-13)


def in_bytes(size: float) -> str:
    """Write a number of bytes.

    Parameters
    ----------
    size
        Of what is known: not missing, not negative.

    Examples
    --------
    >>> in_bytes(1), in_bytes(999), in_bytes(1_234), in_bytes(999_960)
    ('1 byte', '999 bytes', '1.2 kB', '1.0 MB')
    """
    octets = round(size)
    if octets < _KILO:
        return f"{octets} byte{'' if octets == 1 else 's'}"
    scaled, (unit, *larger) = octets / _KILO, ("kB", "MB", "GB", "TB")
    while round(scaled, 1) >= _KILO and larger:  # nothing is written as 1000.0 kB
        scaled, unit, larger = scaled / _KILO, larger[0], larger[1:]
    return f"{scaled:,.1f} {unit}"
