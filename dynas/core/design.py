"""Design variables: what is elastic, which options it has, and what switches it off."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np

from dynas.errors import DynasError

MANY = 6  # ordered choices, beyond which single ones are met too rarely to learn what is their own


@dataclass(frozen=True)
class Gate:
    """A gene is active only while gene ``index`` of ``variable`` has a value of at least ``minimum``."""

    variable: str
    index: int
    minimum: float


def plain(value: Any) -> Any:
    """Return a choice as architectures show it: lists as tuples, numbers of NumPy as Python's."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(plain(one) for one in value)
    return value.item() if isinstance(value, np.generic) else value


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether something is a whole number."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


@dataclass(frozen=True)
class DesignVariable:
    """One elastic choice, repeated ``length`` times; ``gates`` holds one gate (or None) per repetition.

    A variable of length 1 is a plain value in an architecture, a longer one a list. ``constants`` end that list:
    values that leave no choice and are no genes, such as the depth of a stage that always has one block.
    Choices that are lists become tuples; a list, a range or an array of choices is fine, a set is not: it has no order.
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
        if not isinstance(self.name, str) or not self.name:
            raise DynasError(f"a design variable needs a name in words, got {self.name!r}")
        for field_name in ("choices", "gates", "constants"):
            object.__setattr__(self, field_name, self._as_tuple(field_name))
        if not self.choices or not is_whole(self.length) or self.length < 1:
            raise DynasError(
                f"design variable '{self.name}' needs at least one choice and one gene, "
                f"got {list(self.choices)} and length={self.length!r}"
            )
        for choice in self.choices:
            if not isinstance(choice, Hashable) or choice != choice:
                raise DynasError(
                    f"design variable '{self.name}' cannot have the choice {choice!r}: give numbers, texts or tuples"
                )
        if len(set(self.choices)) != len(self.choices):
            raise DynasError(f"design variable '{self.name}' repeats a choice: {list(self.choices)}")
        if wrong := [gate for gate in self.gates if not isinstance(gate, Gate | None)]:
            raise DynasError(f"the gates of design variable '{self.name}' are Gate(...) or None, got {wrong[0]!r}")
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

    def _as_tuple(self, name: str) -> tuple[Any, ...]:
        """Return one of the fields that hold several values."""
        values = getattr(self, name)
        if isinstance(values, str) or not (isinstance(values, Sequence) or getattr(values, "ndim", 0) == 1):
            kind = "a text" if isinstance(values, str) else f"of type {type(values).__name__}"
            raise DynasError(
                f"the {name} of design variable '{self.name}' are {kind}, {values!r}: give a list or a tuple, "
                "with a comma behind a single one, such as (3,)"
            )
        return tuple(plain(value) for value in values)

    @property
    def is_fine(self) -> bool:
        """Whether there are many choices and they are numbers that rise or fall, so that neighbours are alike."""
        if len(self.choices) <= MANY or not all(isinstance(choice, int | float) for choice in self.choices):
            return False
        steps = np.diff(np.array(self.choices, dtype=float))
        return bool((steps > 0).all() or (steps < 0).all())

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
