"""dynas finds the best trade-offs between quality and cost inside a trained weight-sharing supernet."""

from dynas.api import SearchResult, search
from dynas.design import DesignVariable, Gate, depth_gates
from dynas.errors import DynasError
from dynas.objectives import Objective
from dynas.space import SearchSpace

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
