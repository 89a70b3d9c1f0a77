"""Networks in the OpenVINO runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.export.openvino_ir import core, openvino
from dynas.hardware.runtime import Run, RuntimeNetwork, Shapes


class CompiledNetwork(RuntimeNetwork):
    """A model in OpenVINO.

    Args:
        model: takes inputs ``(N, ...)`` of any ``N`` and gives one output.
        settings: properties of OpenVINO's CPU device.
        resolution: height and width of the images, or None where the network does not say.
    """

    def __init__(
        self, model: openvino.Model, settings: Mapping[str, Any], resolution: tuple[int, int] | None = None
    ) -> None:
        super().__init__(resolution)
        self.model, self.settings = model, dict(settings)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants: weights, biases, and the scales of what is quantised."""
        constants = (node.data for node in self.model.get_ops() if node.get_type_name() == "Constant")
        return sum(int(constant.nbytes) for constant in constants)

    def compiled(self, shapes: Shapes) -> openvino.CompiledModel:
        """Return the model as it runs on inputs of these shapes."""
        model = self.model.clone()
        model.reshape(dict(enumerate(map(list, shapes))))  # a fixed shape runs faster than a dynamic one
        return core().compile_model(model, "CPU", self.settings)

    def compile_for(self, shapes: Shapes) -> Run:
        """Return what computes the output of inputs of these shapes."""
        request = self.compiled(shapes).create_infer_request()

        def compute(arrays: list[NDArray[np.generic]]) -> NDArray[np.float32]:
            output: NDArray[np.float32] = request.infer(arrays, share_inputs=True)[0]
            return output

        return compute
