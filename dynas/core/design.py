"""Design variables: what is elastic, which options it has, and what switches it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dynas.errors import DynasError


@dataclass(frozen=True)
class Gate:
    """A gene is active only while gene ``index`` of ``variable`` has a value of at least ``minimum``."""

    variable: str
    index: int
    minimum: float


@dataclass(frozen=True)
class DesignVariable:
    """One elastic choice, repeated ``length`` times; ``gates`` holds one gate (or None) per repetition.

    A variable of length 1 is a plain value in an architecture, a longer one a list. ``constants`` end that list:
    values that leave no choice and are no genes, such as the depth of a stage that always has one block.
    ``aliases`` maps a repetition's position to choices that are the same network as an earlier one: ``{0: {1: 0}}``
    says that choice 1 of the first repetition is its choice 0.
    """

    name: str
    choices: tuple[Any, ...]
    length: int = 1
    gates: tuple[Gate | None, ...] = ()
    constants: tuple[Any, ...] = ()
    aliases: Mapping[int, Mapping[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.choices or self.length < 1:
            raise DynasError(f"design variable '{self.name}' needs at least one choice and one gene")
        if len(set(self.choices)) != len(self.choices):
            raise DynasError(f"design variable '{self.name}' repeats a choice: {list(self.choices)}")
        if self.gates and len(self.gates) != self.length:
            raise DynasError(f"design variable '{self.name}' has {self.length} genes but {len(self.gates)} gates")
        for position, same in self.aliases.items():
            for choice, earlier in same.items():
                allowed = self.choices[: self.choices.index(choice)] if choice in self.choices else ()
                if not 0 <= position < self.length or earlier not in allowed:
                    raise DynasError(
                        f"design variable '{self.name}' cannot have {choice!r} as another name of {earlier!r} at "
                        f"position {position}: give a position below {self.length}, a choice and an earlier choice"
                    )

    def first_names(self, position: int) -> list[int]:
        """Return, per option of one repetition, the index of the first option that is the same network."""
        same, first = self.aliases.get(position, {}), list(range(len(self.choices)))
        for option, choice in enumerate(self.choices):
            if choice in same:
                first[option] = first[self.choices.index(same[choice])]
        return first


def depth_gates(variable: str, blocks: Sequence[int]) -> tuple[Gate, ...]:
    """Return the gates of a per-block variable: block ``p`` of unit ``u`` needs a depth of at least ``p + 1``.

    Args:
        variable: name of the depth variable, one gene per unit.
        blocks: number of blocks in each unit.
    """
    return tuple(Gate(variable, unit, block + 1) for unit, count in enumerate(blocks) for block in range(count))
