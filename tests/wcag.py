"""Contrast as WCAG 2 defines it, and the colours of CSS that it needs.

A colour is red, green, blue and alpha, each from 0 to 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["AA", "Colour", "colour", "contrast", "mixed", "over"]

Colour = tuple[float, float, float, float]

AA = 4.5
"""The least contrast of a text of normal size (WCAG 2.2, 1.4.3)."""


def colour(css: str) -> Colour:
    """The colour that CSS writes as `#rgb`, `#rrggbb`, `rgb(...)`, `rgba(...)` or `color(srgb ...)`.

    >>> colour("#f00"), colour("rgba(0, 255, 0, .5)"), colour("color(srgb 0 0 1 / 0.5)")
    ((1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 0.5), (0.0, 0.0, 1.0, 0.5))
    """
    if css.startswith("#"):
        digits = css[1:] if len(css) > 4 else "".join(digit * 2 for digit in css[1:])
        red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
        return red, green, blue, 1.0
    name, _, rest = css.partition("(")
    numbers = [float(number) for number in re.findall(r"[\d.]+(?:e-?\d+)?", rest)]
    scale = 1 if name == "color" else 255
    red, green, blue = (number / scale for number in numbers[:3])
    return red, green, blue, numbers[3] if len(numbers) > 3 else 1.0


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`color-mix(in srgb, one share, other)`, with alpha premultiplied as CSS does."""
    alpha = one[3] * share + other[3] * (1 - share)
    parts = [(a * one[3] * share + b * other[3] * (1 - share)) / alpha for a, b in zip(one, other, strict=True)]
    return parts[0], parts[1], parts[2], alpha


def over(top: Colour, ground: Colour) -> Colour:
    """What is seen of a colour on an opaque ground."""
    parts = [a * top[3] + b * (1 - top[3]) for a, b in zip(top, ground, strict=True)]
    return parts[0], parts[1], parts[2], 1.0


def contrast(text: Colour, ground: Colour) -> float:
    """From 1 (the same) to 21 (black on white), of two opaque colours."""
    darker, lighter = sorted((_luminance(text), _luminance(ground)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Sequence[float]) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
