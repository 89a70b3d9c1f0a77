"""Takes the ratings of dynas-movielens out of Debian's package r-cran-dslabs, which ships MovieLens ml-latest-small.

    apt-get download r-cran-dslabs && dpkg-deb -x r-cran-dslabs_*.deb extracted
    python scripts/assets/build_movielens.py extracted

Of each rating it keeps user, movie, stars and time, in GroupLens' order and with their column names; titles and genres
stay out. Needs `rdata` (in the extra `dev`) to read R's lazy-load database.
"""

from __future__ import annotations

import gzip
import lzma
import sys
import zlib
from pathlib import Path
from typing import Any

import pandas as pd
from rdata.conversion import convert
from rdata.parser import parse_data

from dynas.data.movielens import OURS, RATINGS

DATABASE = "usr/lib/R/site-library/dslabs/data/Rdata"
COLUMNS = ["userId", "movieId", "rating", "timestamp"]
LICENCE = """\
MovieLens ml-latest-small, generated on 17 October 2016: {lines:,} ratings of {movies:,} movies by {users:,} users.
Made by the GroupLens Research Group, University of Minnesota (https://grouplens.org/datasets/movielens/). The figures
are unchanged, as Debian ships them in r-cran-dslabs {version}; scripts/assets/build_movielens.py left out titles
and genres.

Cite it as: F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. ACM
Transactions on Interactive Intelligent Systems 5, 4, article 19. https://doi.org/10.1145/2827872

dynas' own licence does not cover these ratings. GroupLens' conditions, in short:
- They may be used for research.
- Whoever publishes results of their use acknowledges them, as above.
- They may be passed on, changed ones too, under these same conditions only.
- They may not be used for anything commercial or that earns money, unless a faculty member of the GroupLens Research
  Project at the University of Minnesota has permitted it.
- Nobody may say or suggest that the University of Minnesota or the GroupLens Research Group endorses them or their
  work.
- Neither the university nor the researchers vouch that the ratings are correct, fit for a purpose or give valid
  results. They come as they are, without warranty, and the university is not liable for damage that their use may do.
"""


def read_lazy(database: Path, name: str) -> Any:
    """Return an object of R's lazy-load database: an index (.rdx), and compressed objects one after another (.rdb)."""
    index = convert(parse_data(gzip.decompress(database.with_suffix(".rdx").read_bytes())))
    start, length = map(int, index["variables"][name])
    block = database.with_suffix(".rdb").read_bytes()[start : start + length]
    return convert(parse_data(zlib.decompress(block[4:])))  # the first four bytes hold the length


def main() -> None:
    """Write ratings and notice into packages/dynas-movielens."""
    extracted = Path(sys.argv[1])
    ratings: pd.DataFrame = read_lazy(extracted / DATABASE, "movielens")[COLUMNS]
    content = ratings.to_csv(index=False, lineterminator="\n").encode()
    (OURS / "dynas_movielens" / RATINGS).write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    facts = {"lines": len(ratings), "movies": ratings["movieId"].nunique(), "users": ratings["userId"].nunique()}
    (OURS / "LICENCE").write_text(LICENCE.format(**facts, version="0.7.4"))
    for path in (OURS / "dynas_movielens" / RATINGS, OURS / "LICENCE"):
        print(f"{path.stat().st_size:>10,} bytes  {path.name}")


if __name__ == "__main__":
    main()
