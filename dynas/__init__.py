"""dynas finds the best trade-offs between quality and cost inside a trained weight-sharing supernet."""

from dynas.api import SearchResult, search
from dynas.errors import DynasError
from dynas.objectives import Objective
from dynas.space import DesignVariable, Gate, SearchSpace, depth_gates

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
