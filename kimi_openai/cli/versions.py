"""Which versions of other packages this one needs, by its own metadata, and which of those that are installed do not
fit.

It imports none of them, so that it can say what is wrong if one cannot be imported.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

__all__ = ["Unfit", "installed_version", "own_requirements", "unfit", "unfit_packages"]

DISTRIBUTION = "kimi-openai"

REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[^\]]*\])?\s*([^;]*)")
BOUND = re.compile(r"(>=|<)\s*(\d+(?:\.\d+)*)")


@dataclass(frozen=True, slots=True)
class Unfit:
    """A package whose version does not fit. `version` is "" if it is not installed."""

    name: str
    version: str
    needed: str

    def __str__(self) -> str:
        found = f"{self.name} {self.version} is installed" if self.version else f"{self.name} is not installed"
        return f"{found}, {DISTRIBUTION} needs {self.needed}"

    @property
    def todo(self) -> str:
        """The command that installs a version that fits."""
        return f'pip install -U "{self.name}{self.needed}"'


def unfit_packages() -> list[Unfit]:
    """The packages that this one cannot do without, and whose installed version does not fit."""
    needed = [each for each in own_requirements() if "extra" not in each]
    names = [found[1] for each in needed if (found := REQUIREMENT.match(each))]
    return list(unfit(needed, {name: installed_version(name) for name in names}))


def own_requirements() -> list[str]:
    """The requirements of this package; none if it runs from a folder that was not installed."""
    try:
        return importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def installed_version(name: str) -> str:
    """The version of a package, "" if it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def unfit(requirements: Iterable[str], versions: Mapping[str, str]) -> Iterator[Unfit]:
    """Those of the versions that a requirement does not allow; of its bounds, `>=` and `<` are read.

    >>> [str(each) for each in unfit(["openai<4,>=1.109.1"], {"openai": "1.50.0"})]
    ['openai 1.50.0 is installed, kimi-openai needs <4,>=1.109.1']
    """
    for requirement in requirements:
        found = REQUIREMENT.match(requirement)
        if found and found[1] in versions:
            name, bounds = found[1], found[2].strip()
            if not versions[name] or not _fits(versions[name], bounds):
                yield Unfit(name, versions[name], bounds)


def _fits(version: str, bounds: str) -> bool:
    have = _numbers(version)
    return all((have >= _numbers(bound)) == (sign == ">=") for sign, bound in BOUND.findall(bounds))


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, without zeros at the end: 1.0 and 1 are the same.

    >>> _numbers("3.57.0rc1")
    (3, 57)
    """
    leading = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(number) for number in leading[0].split(".")] if leading else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
