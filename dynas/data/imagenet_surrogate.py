"""ImageNet top-1 of OFA-MobileNetV3 sub-networks from a model fitted to measured ones: a landscape without weights.

The model is linear in features of four kinds (`feature_groups`), most of them interactions. Its coefficients,
where they come from and their cross-validated errors lie in embedded/imagenet_surrogate.json, which
scripts/assets/fit_imagenet_surrogate.py writes; the measured rows themselves are not part of the package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dynas.core.data import ClassificationData
from dynas.core.metric import CountedMetric
from dynas.core.objectives import Values
from dynas.core.space import Genotypes, SearchSpace
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.system.files import from_json

EMBEDDED = Path(__file__).parent / "embedded" / "imagenet_surrogate.json"
NETWORK = "dynas.supernets.mbv3.MobileNetV3Supernet"
STAGES, BLOCKS = 5, 4
STEP = np.array([-1.0, 0.0, 1.0])  # one step up or down from the middle kernel size
RATIO = np.array([3.0, 4.0, 6.0])
SIZES = {"genes": 135, "stages": 120, "depths": 36, "costs": 6}  # number of features by kind
DIGITS = 4  # of a percentage, as in the measured rows


def feature_groups(
    space: SearchSpace, genotypes: Genotypes, macs: NDArray[np.int64], params: NDArray[np.int64]
) -> dict[str, Values]:
    """Return the features of canonical MobileNetV3 genotypes ``(n, 45)`` by kind.

    Args:
        space: the 20 kernel sizes, 20 expansion ratios and 5 depths.
        genotypes: the sub-networks.
        macs: their multiply-accumulates ``(n,)``.
        params: their parameters ``(n,)``.

    Returns:
        ``genes`` (n, 135): one-hot active genes; ``stages`` (n, 120): pairwise products of each stage's mean
        kernel size, width and depth; ``depths`` (n, 36): pairs of depths of neighbouring stages; ``costs`` (n, 6):
        powers and product of the logarithms of MACs and parameters.
    """
    n = len(genotypes)
    genes = space.one_hot(genotypes)
    kernels, ratios, depths = (
        part.reshape(n, -1, 3) for part in np.split(genes, [3 * STAGES * BLOCKS, 6 * STAGES * BLOCKS], axis=1)
    )
    kernel = (kernels @ STEP).reshape(n, STAGES, BLOCKS).mean(axis=2)
    width = (ratios @ RATIO).reshape(n, STAGES, BLOCKS).sum(axis=2) / 12 - 1
    per_stage = np.concatenate([kernel, width, depths @ STEP], axis=1)
    first, second = np.triu_indices(per_stage.shape[1])
    m, p = np.log(macs / 2.5e8), np.log(params / 5e6)  # near 0 for a middling sub-network
    return {
        "genes": genes,
        "stages": per_stage[:, first] * per_stage[:, second],
        "depths": (depths[:, :-1, :, None] * depths[:, 1:, None, :]).reshape(n, -1),
        "costs": 3 * np.stack([m, p, m * m, p * p, m * p, m**3], axis=1),  # 3: less shrunk than the many others
    }


class ImageNetSurrogate(ClassificationData):
    """Stands in for ImageNet: it has classes and a model of top-1, but no images.

    Args:
        model: ``embedded`` or the path of a file that scripts/assets/fit_imagenet_surrogate.py wrote.
        network: the class of the supernet, with its module.
        shape: settings of the supernet that make it the network whose accuracies are modelled; it takes them over
            (configs/supernet/mbv3.yaml).

    Attributes:
        replaces: the modelled top-1.
        digest: SHA-256 of the model's file.

    Raises:
        DynasError: the file is missing or is no such model, or the network is another one.
    """

    classes = 1000

    def __init__(self, model: str, network: str = NETWORK, shape: Mapping[str, Any] | None = None) -> None:
        if network != NETWORK:
            raise DynasError(
                f"data=imagenet_surrogate models top-1 of OFA-MobileNetV3 only, not of {network}: "
                "give supernet=mbv3, or other data such as data=fashion_mnist"
            )
        path = EMBEDDED if model == "embedded" else Path(model).expanduser()
        try:
            content = path.read_bytes()
            self.digest = hashlib.sha256(content).hexdigest()
            self.replaces = {"top1": ModelledTop1(from_json(content))}
        except OSError as error:
            raise DynasError(f"no model at '{path}': give data.model=embedded or the path of one") from error
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise DynasError(
                f"'{path}' is no model written by scripts/assets/fit_imagenet_surrogate.py: {error!r}"
            ) from error

    def validation_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Raise DynasError: there are no images."""
        self._refuse()

    def calibration_batches(self) -> Iterator[Tensor]:
        """Raise DynasError: there are no images."""
        self._refuse()

    def training_steps(self, batch_size: int) -> int:
        """Raise DynasError: there are no images."""
        self._refuse()

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Raise DynasError: there are no images."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise DynasError(
            "data=imagenet_surrogate holds no images, only a model of top-1: it can neither train nor measure, "
            "give other data such as data=fashion_mnist"
        )


class ModelledTop1(CountedMetric):
    """Top-1 accuracy as the fitted model estimates it, in percent; it stands in for a measurement.

    Args:
        model: the content of the model's file.
    """

    exact = False
    precision = "fp32"
    unit = "%, modelled"

    def __init__(self, model: Mapping[str, Any]) -> None:
        self._variables = model["variables"]
        self._extremes = model["extremes"]
        self._intercept = float(model["intercept"])
        self._coefficients = {name: np.array(values, dtype=float) for name, values in model["coefficients"].items()}
        if {name: len(values) for name, values in self._coefficients.items()} != SIZES:
            raise ValueError(f"it needs coefficients for {SIZES}")
        errors = model["cross_validation"]
        self.note = (
            f"top1 is a model's estimate fitted to {model['rows']:,} measured sub-networks of {model['network']} "
            f"(cross-validated error {errors['mae [points]']:.3f} points, Kendall tau {errors['kendall_tau']:.3f}), "
            "not a measurement"
        )

    def count(self, supernet: Supernet, genotypes: Genotypes) -> Values:
        """Return the estimates ``(n,)`` of canonical genotypes ``(n, G)``.

        Raises:
            DynasError: the supernet is not the one that the model was fitted to.
        """
        self._check(supernet)
        groups = feature_groups(supernet.space, genotypes, supernet.macs(genotypes), supernet.params(genotypes))
        # summed row by row: unlike a matrix product, to the same bit whatever rows come together
        parts = [(groups[name] * weights).sum(axis=1) for name, weights in self._coefficients.items()]
        return np.asarray(np.round(self._intercept + np.sum(parts, axis=0), DIGITS))

    def _check(self, supernet: Supernet) -> None:
        """Recognise the network by its design variables and by the costs of its smallest and largest sub-network."""
        space = supernet.space
        same = [[one.name, list(one.choices), one.length] for one in space.variables] == self._variables
        if same:
            genotypes = np.stack([space.smallest(), space.largest()])
            costs = {"macs": supernet.macs(genotypes).tolist(), "params": supernet.params(genotypes).tolist()}
            same = costs == self._extremes
        if not same:
            raise DynasError(
                "data=imagenet_surrogate models top-1 of OFA-MobileNetV3 at width 1.0 and 224x224 pixels only: "
                f"leave out what you set of supernet, or give other data (this supernet is another '{supernet.name}')"
            )
