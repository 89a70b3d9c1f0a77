"""Whether the data keep what data promise."""

from dynas.templates.data import Mine
from dynas.testing import DataSuite


class TestMine(DataSuite):
    """The suite looks at all batches."""

    @staticmethod
    def make() -> Mine:
        """Return the data."""
        return Mine(resolution=(8, 8), validation_size=100)

    @staticmethod
    def make_other() -> Mine:
        """Return the data with other images to measure on."""
        return Mine(resolution=(8, 8), validation_size=101)
