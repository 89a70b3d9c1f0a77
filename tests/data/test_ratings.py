"""Ratings from any table: what is read, what is kept, what is held out, and how broken files are refused."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas.data.interactions.interactions import Interactions
from dynas.data.interactions.ratings_file import read_ratings
from dynas.data.movielens import OURS, RATINGS, movielens, movielens_file
from dynas.data.ratings import core, distinct, leave_latest_out, ratings
from dynas.data.simulated_choices import CHOICES, simulated_choices
from dynas.errors import DynasError

USERS, ITEMS = 20, 180
HEADER = "userId,movieId,rating,timestamp"


def rows() -> list[tuple[int, int, float, int]]:
    """Choices of 20 users, 20 to 39 each, in the order of users and of items, not of time."""
    rng = np.random.default_rng(3)
    return [
        (user, int(item), float(rng.integers(1, 11)) / 2, int(rng.integers(10**9)))
        for user in range(USERS)
        for item in np.sort(rng.permutation(ITEMS)[: 20 + user])
    ]


ROWS = rows()


def text(separator: str = ",", header: str | None = HEADER, end: str = "\n") -> str:
    lines = [separator.join(map(str, row)) for row in ROWS]
    names = [] if header is None else [separator.join(header.split(","))]
    return end.join([*names, *lines]) + end


def write(folder: Path, content: str | bytes, name: str = "file.csv") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def load(path: str, k_core: int = 1, **settings: object) -> Interactions:
    return ratings(path, k_core=k_core, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Interactions:
    return load(write(tmp_path_factory.mktemp("ratings"), text()))


@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        ("tabs.tsv", text("\t"), {}),
        ("semicolons.csv", text(";"), {}),
        ("windows.csv", "\ufeff" + text(end="\r\n") + "\r\n", {}),
        ("ratings.dat", text("::", None), {"columns": ["user", "item", "rating", "timestamp"]}),
        ("u.data", text("\t", None), {"columns": ["user", "item", "rating", "timestamp"]}),
        ("named.csv", text(header="who,what,stars,when"), {"user": "who", "item": "what", "timestamp": "when"}),
        ("snake.csv", text(header="user_id,item_id,rating,timestamp"), {}),
        ("words.csv", text(header="User ID,Item,Rating,Timestamp"), {}),
        ("packed.csv.gz", gzip.compress(text().encode()), {}),
        ("packed.csv.xz", lzma.compress(text().encode()), {}),
        ("letters.csv", "".join([HEADER, *(f"\nu{a},i{b},{c},{d}" for a, b, c, d in ROWS)]), {}),
        ("more.csv", "".join(["n,title," + HEADER, *(f'\n7,"a, b",{a},{b},{c},{d}' for a, b, c, d in ROWS)]), {}),
    ],
)
def test_the_same_choices_are_read_from_any_table(
    name: str, content: str | bytes, settings: dict[str, object], expected: Interactions, tmp_path: Path
) -> None:
    data = load(write(tmp_path, content, name), **settings)
    assert (data.users, data.items) == (USERS, expected.items)
    assert data.digest == expected.digest


def test_the_latest_choice_of_every_user_is_held_out(expected: Interactions) -> None:
    latest = {user: item for user, item, _, _ in sorted(ROWS, key=lambda row: row[3])}
    movies = list(dict.fromkeys(item for _, item, _, _ in ROWS))  # numbered as they first stand in the file
    assert expected.ranked_users.tolist() == list(range(USERS))
    assert [movies[item] for item in expected.candidates[:, 0]] == [latest[user] for user in range(USERS)]
    assert len(expected) == len(ROWS) - USERS


def test_dates_order_like_seconds(expected: Interactions, tmp_path: Path) -> None:
    lines = [f"{a},{b},{np.datetime64(d, 's')}" for a, b, _, d in ROWS]
    assert load(write(tmp_path, "\n".join(["user,item,timestamp", *lines]))).digest == expected.digest


@pytest.mark.parametrize(
    ("header", "line"), [("user,item", "{},{}"), ("user,item,timestamp", "{},{},7")], ids=["no times", "equal times"]
)
def test_without_times_the_last_line_is_the_latest(header: str, line: str, tmp_path: Path) -> None:
    pairs = [(user, item) for user, item, _, _ in ROWS] + [(0, ROWS[0][1])]  # chosen again: only this line counts
    data = load(write(tmp_path, "\n".join([header, *(line.format(*pair) for pair in pairs)])))
    last = dict(pairs)
    movies = list(dict.fromkeys(item for _, item in pairs))
    assert [movies[item] for item in data.candidates[:, 0]] == [last[user] for user in range(USERS)]
    assert last[0] == ROWS[0][1]
    assert len(data) == len(ROWS) - USERS


def test_lower_ratings_are_no_choices_where_one_says_so(tmp_path: Path) -> None:
    table = pd.read_csv(movielens_file(RATINGS))
    good = write(tmp_path, table[table["rating"] >= 4].to_csv(index=False))
    assert movielens(min_rating=4).digest == ratings(good).digest != movielens().digest


def test_a_user_with_a_single_choice_is_trained_on_but_not_ranked(tmp_path: Path) -> None:
    data = load(write(tmp_path, text() + f"newcomer,{ROWS[0][1]},5,1\n"))
    assert data.users == USERS + 1
    assert USERS in data.training_users
    assert USERS not in data.ranked_users


def test_the_same_seed_gives_the_same_data_and_another_seed_others(expected: Interactions, tmp_path: Path) -> None:
    path = write(tmp_path, text())
    again, other = load(path), load(path, seed=1)
    assert again.digest == expected.digest != other.digest
    np.testing.assert_array_equal(again.candidates, expected.candidates)
    np.testing.assert_array_equal(other.candidates[:, 0], expected.candidates[:, 0])
    np.testing.assert_array_equal(other.training_items, expected.training_items)
    assert (other.candidates[:, 1:] != expected.candidates[:, 1:]).any()


def test_the_ratings_of_the_other_distribution_are_those_of_movielens() -> None:
    table = read_ratings(movielens_file(RATINGS))
    assert table.ratings is not None
    assert table.times is not None
    assert len(table.users) == 100_004
    assert (len(np.unique(table.users)), len(np.unique(table.items))) == (671, 9066)
    assert (table.ratings.min(), table.ratings.max()) == (0.5, 5)
    assert (table.times.min(), table.times.max()) == (789_652_009, 1_476_640_644)  # 9 January 1995, 16 October 2016
    assert (OURS / "LICENCE").read_text().count("GroupLens") >= 3
    assert movielens_file(RATINGS).stat().st_size < 500_000
    data = movielens()
    assert (data.users, data.items, len(data), len(data.ranked_users)) == (671, 3496, 89_401, 671)


def test_without_the_other_distribution_it_is_said_where_the_ratings_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynas.data.movielens.find_spec", lambda name: None)
    monkeypatch.setattr("dynas.data.movielens.OURS", Path("/nowhere"))
    with pytest.raises(DynasError, match=r"not for commercial use.*install packages/dynas-movielens, or take data=sim"):
        movielens()


def test_the_installed_distribution_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(OURS)
    monkeypatch.setattr("dynas.data.movielens.OURS", Path("/nowhere"))
    assert movielens_file(RATINGS).parent == OURS / "dynas_movielens"


def test_the_simulated_choices_are_what_their_notice_says() -> None:
    data = simulated_choices()
    assert (data.users, data.items, len(data), len(data.ranked_users)) == (1200, 1000, 71_157, 1200)
    notice = (CHOICES.parent / "LICENCE").read_text()
    assert notice.startswith("72,357 choices of 1,200 users among 1,000 items, all made up by scripts/assets/build_sim")
    assert np.bincount(data.training_items, minlength=data.items).min() >= 3
    assert simulated_choices(seed=1).digest != data.digest


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size = draw(st.integers(0, 60))
    sides = (draw(st.lists(st.integers(0, 8), min_size=size, max_size=size)) for _ in range(2))
    users, items = (np.array(side, dtype=np.int64) for side in sides)
    return distinct((users, items))


def all_have(users: set[tuple[int, int]], k: int) -> bool:
    return all(sum(pair[side] == one[side] for pair in users) >= k for one in users for side in (0, 1))


@given(pairs(), st.integers(1, 4))
def test_the_core_holds_what_it_promises_and_is_the_largest(given_pairs: tuple[np.ndarray, np.ndarray], k: int) -> None:
    kept = {(int(user), int(item)) for user, item in zip(*core(given_pairs, k), strict=True)}
    assert all_have(kept, k)
    left = {(int(user), int(item)) for user, item in zip(*given_pairs, strict=True)}
    while bad := {p for p in left if any(sum(q[side] == p[side] for q in left) < k for side in (0, 1))}:
        left.remove(min(bad))  # one by one, in another order: the largest core does not depend on it
    assert kept == left


@given(pairs())
def test_one_choice_of_everyone_with_two_is_held_out(given_pairs: tuple[np.ndarray, np.ndarray]) -> None:
    (users, items), (held_users, held_items) = leave_latest_out(given_pairs)
    everything = list(zip(*map(np.ndarray.tolist, given_pairs), strict=True))
    history: dict[int, list[int]] = {}
    for user, item in everything:
        history.setdefault(user, []).append(item)
    assert dict(zip(held_users.tolist(), held_items.tolist(), strict=True)) == {
        user: chosen[-1] for user, chosen in history.items() if len(chosen) >= 2
    }
    both = [
        *zip(users.tolist(), items.tolist(), strict=True),
        *zip(held_users.tolist(), held_items.tolist(), strict=True),
    ]
    assert sorted(both) == sorted(everything)


@pytest.mark.parametrize(
    "ids",
    [
        [f"{a}.{b}" for a in range(1, 11) for b in range(1, 21)],
        [f"{'0' * zeros}{n}" for n in range(100) for zeros in range(2)],
        [str(10**18 + n) for n in range(200)],
        [str(10**40 + n) for n in range(200)],
        [f"{n}e{m}" for n in range(1, 15) for m in range(15)],
        ["inf", "True", "true", "-0", "0", "+0", *map(str, range(1, 190))],
        ["NA", "null", "nan", "NaN", "None", "N/A", "#N/A", "<NA>", *(f"x{n}" for n in range(192))],
        [f"2020-01-{n:02}" for n in range(1, 29)] + [f"2020-1-{n}" for n in range(1, 200)],
    ],
    ids=["decimals", "zeros", "large", "huge", "exponents", "words and numbers", "missing", "dates"],
)
@pytest.mark.parametrize("role", ["item", "user"])
def test_ids_are_texts_whatever_they_look_like(ids: list[str], role: str, tmp_path: Path) -> None:
    others = range(len(ids))
    rows = [(one, other) for place, one in enumerate(ids) for other in (others[place], others[place - 1])]
    lines = [f"{one},{other}" if role == "user" else f"{other},{one}" for one, other in rows]
    table = read_ratings(Path(write(tmp_path, "\n".join(["user,item", *lines]))))
    found = table.users if role == "user" else table.items
    assert list(found) == [one for one, _ in rows]


FORMS = {
    "told by a spreadsheet": "sep=;\nuser;item;note\n1;2;3,5 or so\n",
    "told in capitals": "SEP=|\r\nuser|item|note\r\n1|2|a,b\r\n",
    "bars": "user|item|rating\n1|2|3\n",
    "spaces": "user item rating\n1 2 3\n",
    "RecBole": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3\t4\n",
    "spaces around": "user , item , rating\n 1 , 2 , 3\n",
    "quotes": '"user","item","rating"\n"1","2","3"\n',
    "byte order mark": "\ufeffuser,item\n1,2\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_separators_and_headers_of_other_programs_are_understood(form: str, tmp_path: Path) -> None:
    content = FORMS[form]
    table = read_ratings(Path(write(tmp_path, content)))
    assert (list(table.users), list(table.items)) == (["1"], ["2"])
    packed = Path(write(tmp_path, bz2.compress(content.encode()), "table.csv.bz2"))
    assert list(read_ratings(packed).items) == ["2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04user,item", "is a zip archive: unpack it first"),
        ("user,item\n1,2\n".encode("utf-16"), "is in UTF-16"),
        (b"sep=;\nuser;item\n1;2\n;3\n", "line 4 has no user"),
        (b"user item\n1  2\n", "line 2 has"),
        (b"sep=;", "line 2 names no columns"),
        (b'sep="\nuser"item\n', "line 1 is 'sep=\"', but a tab"),
    ],
)
def test_what_hinders_reading_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=message):
        read_ratings(Path(write(tmp_path, content)))


def changed(line: int, by: str) -> str:
    lines = text().splitlines()
    lines[line - 1] = by
    return "\n".join(lines)


BROKEN = {
    "empty": ("", {}, "is empty"),
    "blank": ("\n\n", {}, "line 1 is '', but a tab, comma, semicolon, '::', '|' or space is expected"),
    "only names": (HEADER, {}, "no line below"),
    "one column": ("userId\n1\n", {}, "line 1 is 'userId', but a tab, comma"),
    "no item": ("userId,rating\n1,2\n", {}, "line 1, 'userId,rating', names no column for the item: give data.item="),
    "no names": (text(header=None), {}, r"line 1, '0,.*', names no column for the user: .*data.columns=\[user,item"),
    "no item in the list": (
        "1,2\n",
        {"columns": ["user", "x"]},
        r"data.columns=\['user', 'x'\] names no column for the",
    ),
    "two items": ("user,item,movieId\n1,2,3\n", {}, "several columns for the item: say which by data.item=item"),
    "unknown name": (text(), {"item": "film"}, "no column 'film' .data.item.: choose one of userId, movieId"),
    "names as text": (text(), {"columns": "user,item"}, r"data.columns=user,item: give a list"),
    "text for a rating": (changed(7, "1,2,good,4"), {}, "line 7 has 'good' as rating, but a number is expected"),
    "no rating": (changed(7, "1,2,,4"), {}, "line 7 has '' as rating, but a number is expected"),
    "infinite rating": (changed(7, "1,2,inf,4"), {}, "line 7 has 'inf' as rating, but a number is expected"),
    "text for a time": (changed(9, "1,2,3,noon"), {}, "line 9 has 'noon' as timestamp, but a number"),
    "no user": (changed(5, ",2,3,4"), {}, "line 5 has no userId"),
    "no more than a user": (changed(5, "1"), {}, "line 5 has no movieId"),
    "blank line": (changed(5, ""), {}, "line 5 has no userId"),
    "more columns": (changed(6, "1,2,3,4,5"), {}, "line 6 has 5 columns instead of 4"),
    "more columns from the start": (changed(2, "1,2,3,4,5"), {}, "line 2 has (more columns than names|5 columns)"),
    "more columns than given": ("1,2,3\n4,5,6\n", {"columns": ["user", "item"]}, "line 1 has more columns than names"),
    "later more than given": ("1,2\n4,5\n4,5,6\n", {"columns": ["user", "item"]}, "line 3 has 3 columns instead of 2"),
    "open quote": (changed(8, '1,"2,3,4'), {}, "line 8 opens a quotation mark"),
    "junk": (b"user,item\n1,2\n\xff\xfe\x00junk", {}, "line 3 is not in UTF-8"),
    "null bytes": (b"user,item\n1,2\n\x00\x00,3\n", {}, "line 3 is no text"),
    "no ratings": ("user,item\n1,2\n", {"min_rating": 4}, "data.min_rating=4 needs ratings"),
    "high rating": (text(), {"min_rating": 6}, "data.min_rating=6 leaves none"),
    "wide core": (text(), {"k_core": 200}, "data.k_core=200 leaves none"),
    "negative core": (text(), {"k_core": 0}, "data.k_core=0: give 1 or more"),
    "no negatives": (text(), {"negatives": 0}, "data.negatives=0: give 1 or more"),
    "lonely": ("user,item\n1,2\n2,3\n", {}, "nobody in .* chose two items"),
    "few items": ("user,item\n1,2\n1,3\n", {}, "a user is left with 0 of the 2 items .* but 99 are needed"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_table_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    content, settings, message = BROKEN[case]
    with pytest.raises(DynasError, match=message) as refusal:
        load(write(tmp_path, content), **settings)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["half.csv.gz", "half.csv.xz", "none.csv.gz", "none.csv.xz"])
def test_damaged_archives_are_refused(name: str, tmp_path: Path) -> None:
    packed = gzip.compress(text().encode()) if name.endswith("gz") else lzma.compress(text().encode())
    content = packed[: len(packed) // 2] if name.startswith("half") else b"user,item\n1,2\n"
    with pytest.raises(DynasError, match=f"cannot read .*{name}"):
        load(write(tmp_path, content, name))


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"no text file '.*nowhere.csv'"):
        load(str(tmp_path / "nowhere.csv"))
    with pytest.raises(DynasError, match=r"give data.path=<CSV or TSV file"):
        ratings(None)
    with pytest.raises(DynasError, match="cannot read"):
        load(str(tmp_path))
