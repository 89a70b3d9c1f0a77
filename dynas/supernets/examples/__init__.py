"""Two small trained networks, made of ordinary layers, with which any trained network's way can be tried."""

from dynas.supernets.examples.mobilenet import mobilenet_v2
from dynas.supernets.examples.resnet import basic_resnet

__all__ = ["basic_resnet", "mobilenet_v2"]
