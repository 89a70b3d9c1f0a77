"""Whether the supernet keeps what supernets promise."""

from dynas.templates.supernet import Mine
from dynas.testing import SupernetSuite


class TestMine(SupernetSuite):
    """The suite makes the supernet with these settings."""

    @staticmethod
    def make() -> Mine:
        """Return the supernet."""
        return Mine("random", widths=(4, 8), depths=(1, 2, 3), channels=1, classes=10, resolution=(28, 56))
