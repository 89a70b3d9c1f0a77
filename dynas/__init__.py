"""dynas finds the best trade-offs between quality and cost inside a trained weight-sharing supernet."""

from dynas.errors import DynasError
from dynas.objectives import Objective
from dynas.space import DesignVariable, Gate, SearchSpace, depth_gates

__all__ = ["DesignVariable", "DynasError", "Gate", "Objective", "SearchSpace", "depth_gates"]
