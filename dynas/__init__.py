"""dynas finds the best trade-offs between quality and cost inside a trained weight-sharing supernet."""

from dynas.api import SearchResult, search
from dynas.core.design import DesignVariable, Gate, depth_gates
from dynas.core.objectives import Objective
from dynas.core.space import SearchSpace
from dynas.errors import DynasError

__all__ = [
    "DesignVariable",
    "DynasError",
    "Gate",
    "Objective",
    "SearchResult",
    "SearchSpace",
    "depth_gates",
    "search",
]
