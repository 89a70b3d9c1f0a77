"""A user's own supernet, metric, algorithm and predictor, as a module in the folder where `dynas` is started."""

import itertools

import numpy as np
import torch
from torch import nn

from dynas import DesignVariable, SearchSpace
from dynas.core.metric import MeasuredMetric, Reading
from dynas.core.supernet import Supernet


class Perceptrons(Supernet):
    """Two hidden layers of elastic width for the 28x56 images of the default data."""

    name = "perceptrons"
    task = "classification"
    weights_digest = "none"
    widths = (8, 16, 24, 32)

    def __init__(self):
        self.space = SearchSpace([DesignVariable("width", self.widths, length=2)])
        torch.manual_seed(0)
        self.first, self.second, self.last = nn.Linear(28 * 56, 32), nn.Linear(32, 32), nn.Linear(32, 100)

    def subnet(self, architecture):
        first, second = architecture["width"]
        layers = [nn.Linear(28 * 56, first), nn.Linear(first, second), nn.Linear(second, 100)]
        for layer, whole in zip(layers, (self.first, self.second, self.last), strict=True):
            layer.weight.data = whole.weight.data[: layer.out_features, : layer.in_features].clone()
            layer.bias.data = whole.bias.data[: layer.out_features].clone()
        return nn.Sequential(nn.Flatten(), layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2]).eval()

    def example_inputs(self, batch_size, subnet=None):
        return (torch.zeros(batch_size, 1, 28, 56),)

    def macs(self, genotypes):
        first, second = np.array(self.widths)[genotypes].T
        return 28 * 56 * first + first * second + second * 100

    def params(self, genotypes):
        first, second = np.array(self.widths)[genotypes].T
        return self.macs(genotypes) + first + second + 100


class Confidence(MeasuredMetric):
    """Mean probability of the likeliest class, on the validation images."""

    def measure(self, subnets, bench):
        images = torch.cat([batch for batch, _ in bench.data.validation_batches()])
        with torch.inference_mode():
            return [Reading(float(100 * subnet(images).softmax(1).amax(1).mean())) for subnet in subnets]


class InOrder:
    """Asks for one sub-network after the other: those it starts from, then all from the smallest on."""

    def __init__(self, space, n_objectives, rng, start=None):
        given = [] if start is None else start
        self.space, self.asked = space, set()
        self.genotypes = itertools.chain(given, itertools.product(*map(range, space.cardinality)))

    def ask(self):
        for genotype in self.genotypes:
            row = self.space.canonical(np.array([genotype]))
            if row.tobytes() not in self.asked:
                self.asked.add(row.tobytes())
                return row
        return np.empty((0, self.space.n_genes), dtype=np.int64)

    def tell(self, batch):
        pass


class Mean:
    """Predicts the mean."""

    def fit(self, features, target):
        self.mean = target.mean()

    def predict(self, features):
        return np.full(len(features), self.mean)
