"""The IDX file format of the MNIST family: a big-endian header, then unsigned bytes."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.errors import DynasError
from dynas.system.compressed import read_bytes


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of an IDX file of unsigned bytes, gzipped or not.

    Raises:
        DynasError: the file is missing or is not such a file.
    """
    try:
        content = read_bytes(path, "data file")
        zeros, kind, ndim = struct.unpack_from(">HBB", content)
        shape = struct.unpack_from(f">{ndim}I", content, 4)
        if zeros != 0 or kind != 8:
            raise ValueError("its header is not that of unsigned bytes")
        return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * ndim).reshape(shape)
    except (ValueError, struct.error) as error:
        raise DynasError(f"'{path}' is no IDX file: {error}") from error


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Write unsigned bytes as a gzipped IDX file; equal arrays give equal files."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), compresslevel=9, mtime=0))
