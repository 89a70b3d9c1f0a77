"""Whether the target keeps what targets promise."""

from dynas.templates.hardware import Mine
from dynas.testing import MeterSuite


class TestMine(MeterSuite):
    """The suite times small and large networks."""

    @staticmethod
    def make() -> Mine:
        """Return the target."""
        return Mine(batch_size=2, warmup=3, repeats=15)
