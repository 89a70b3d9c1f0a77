from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from dynas import DesignVariable, DynasError, Gate, SearchSpace, depth_gates

MBV3_SIZE = 21758655492572485851


def aliases_of(choices: tuple[int, ...]) -> st.SearchStrategy[dict[int, int]]:
    """Some of the later choices, each with a choice before it."""
    pairs = {choices[place]: st.sampled_from(choices[:place]) for place in range(1, len(choices))}
    return st.fixed_dictionaries({}, optional=pairs)


@st.composite
def gated_spaces(draw: st.DrawFn) -> SearchSpace:
    """Spaces of one to six genes in random order, gated by genes that were drawn before, some with aliases."""
    drawn: list[DesignVariable] = []
    genes: list[tuple[str, int, tuple[int, ...]]] = []
    for name in ("a", "b", "c")[: draw(st.integers(1, 3))]:
        choices = tuple(draw(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True)))
        length = draw(st.integers(1, 2))
        gates = []
        for _ in range(length):
            if genes and draw(st.booleans()):
                parent, index, values = draw(st.sampled_from(genes))
                gates.append(Gate(parent, index, draw(st.sampled_from([*values, max(values) + 1]))))
            else:
                gates.append(None)
        aliases = {place: draw(aliases_of(choices)) for place in range(length) if draw(st.booleans())}
        drawn.append(DesignVariable(name, choices, length, tuple(gates), aliases=aliases))
        genes += [(name, index, choices) for index in range(length)]
    return SearchSpace(draw(st.permutations(drawn)))


def all_genotypes(space: SearchSpace) -> np.ndarray:
    return np.array(list(itertools.product(*(range(count) for count in space.cardinality))), dtype=np.int64)


def active_values(space: SearchSpace, genotype: np.ndarray) -> dict[tuple[str, int], Any]:
    """Return what gates and aliases leave of a genotype, straight from their definition."""
    variables = {variable.name: variable for variable in space.variables}
    options = iter(genotype)

    def first_name(variable: DesignVariable, place: int) -> Any:
        choice, same = variable.choices[next(options)], variable.aliases.get(place, {})
        while choice in same:
            choice = same[choice]
        return choice

    values = {(v.name, place): first_name(v, place) for v in space.variables for place in range(v.length)}

    def is_active(name: str, place: int) -> bool:
        gate = variables[name].gates[place] if variables[name].gates else None
        if gate is None:
            return True
        return values[gate.variable, gate.index] >= gate.minimum and is_active(gate.variable, gate.index)

    return {gene: value for gene, value in values.items() if is_active(*gene)}


@given(gated_spaces())
def test_the_size_is_the_number_of_different_sub_networks(space: SearchSpace) -> None:
    different = {tuple(sorted(active_values(space, genotype).items())) for genotype in all_genotypes(space)}
    assert space.size == len(different)
    assert space.size == len({row.tobytes() for row in space.canonical(all_genotypes(space))})


@given(gated_spaces())
def test_a_gene_is_active_exactly_when_all_gates_above_it_are_open(space: SearchSpace) -> None:
    genotypes = all_genotypes(space)
    genes = [(variable.name, place) for variable in space.variables for place in range(variable.length)]
    wanted = [[gene in active_values(space, genotype) for gene in genes] for genotype in genotypes]
    np.testing.assert_array_equal(space.active(genotypes), np.array(wanted))


@given(gated_spaces())
def test_two_genotypes_share_a_key_exactly_when_they_are_the_same_sub_network(space: SearchSpace) -> None:
    by_key: dict[str, set[object]] = {}
    by_canonical: dict[bytes, set[object]] = {}
    for genotype in all_genotypes(space):
        meaning = tuple(sorted(active_values(space, genotype).items()))
        by_key.setdefault(space.key(genotype), set()).add(meaning)
        by_canonical.setdefault(space.canonical(genotype[None])[0].tobytes(), set()).add(meaning)
    assert all(len(meanings) == 1 for meanings in by_key.values())
    assert all(len(meanings) == 1 for meanings in by_canonical.values())
    assert len(by_key) == len(by_canonical) == space.size


@given(gated_spaces())
def test_making_a_genotype_canonical_again_changes_nothing(space: SearchSpace) -> None:
    canonical = space.canonical(all_genotypes(space))
    np.testing.assert_array_equal(space.canonical(canonical), canonical)
    assert canonical[~space.active(canonical)].sum() == 0


@given(gated_spaces())
def test_an_architecture_leads_back_to_its_canonical_genotype(space: SearchSpace) -> None:
    for genotype in all_genotypes(space):
        np.testing.assert_array_equal(space.encode(space.decode(genotype)), space.canonical(genotype[None])[0])


@given(gated_spaces())
def test_one_hot_marks_the_option_of_every_active_gene_and_nothing_else(space: SearchSpace) -> None:
    genotypes = all_genotypes(space)
    features = space.one_hot(genotypes)
    assert features.shape == (len(genotypes), space.n_features)
    start = 0
    for gene, count in enumerate(space.cardinality):
        block = features[:, start : start + count]
        wanted = np.eye(count)[space.canonical(genotypes)[:, gene]] * space.active(genotypes)[:, gene, None]
        np.testing.assert_array_equal(block, wanted)
        start += count
    np.testing.assert_array_equal(features, space.one_hot(space.canonical(genotypes)))


@given(gated_spaces(), st.integers(0, 2**32))
def test_distinct_sampling_exhausts_a_small_space_and_then_finds_nothing(space: SearchSpace, seed: int) -> None:
    rows = space.sample_distinct(space.size + 5, np.random.default_rng(seed))
    identities = {row.tobytes() for row in rows}
    assert len(rows) == len(identities) == space.size
    assert identities == {row.tobytes() for row in space.canonical(all_genotypes(space))}
    assert space.sample_distinct(3, np.random.default_rng(seed), identities).shape == (0, space.n_genes)


@given(gated_spaces(), st.integers(0, 2**32), st.data())
def test_distinct_sampling_avoids_what_was_seen(space: SearchSpace, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    seen = {row.tobytes() for row in space.sample_distinct(data.draw(st.integers(0, space.size)), rng)}
    before = set(seen)
    rows = space.sample_distinct(2, rng, seen)
    assert len(rows) == min(2, space.size - len(before))
    assert not before & {row.tobytes() for row in rows}
    assert seen == before, "the caller's set is not changed"


def test_the_mbv3_space_has_the_size_of_the_paper(mbv3_space: SearchSpace) -> None:
    assert mbv3_space.size == 7371**5 == MBV3_SIZE
    assert (mbv3_space.n_genes, mbv3_space.n_features) == (45, 135)


def test_samples_of_the_mbv3_space_are_canonical_and_use_every_option(mbv3_space: SearchSpace) -> None:
    rows = mbv3_space.sample(500, np.random.default_rng(0))
    assert rows.dtype == np.int64
    np.testing.assert_array_equal(rows, mbv3_space.canonical(rows))
    assert all(set(column) == {0, 1, 2} for column in rows.T)
    np.testing.assert_array_equal(rows, mbv3_space.sample(500, np.random.default_rng(0)))
    assert (rows != mbv3_space.sample(500, np.random.default_rng(1))).any()


def test_the_smallest_and_the_largest_sub_network_have_the_first_and_the_last_options(mbv3_space: SearchSpace) -> None:
    assert mbv3_space.decode(mbv3_space.smallest()) == {"ks": [3] * 20, "e": [3] * 20, "d": [2] * 5}
    assert mbv3_space.decode(mbv3_space.largest()) == {"ks": [7] * 20, "e": [6] * 20, "d": [4] * 5}


def test_blocks_beyond_the_depth_do_not_change_the_sub_network(mbv3_space: SearchSpace) -> None:
    shallow = {"ks": [5] * 20, "e": [4] * 20, "d": [2, 4, 4, 4, 3]}
    same = {"ks": [5, 5, 7, 3] + [5] * 15 + [7], "e": [4, 4, 6, 3] + [4] * 16, "d": [2, 4, 4, 4, 3]}
    other = {"ks": [5, 7] + [5] * 18, "e": [4] * 20, "d": [2, 4, 4, 4, 3]}
    key = mbv3_space.key(mbv3_space.encode(shallow))
    assert mbv3_space.key(mbv3_space.encode(same)) == key
    assert mbv3_space.key(mbv3_space.encode(other)) != key


def test_a_key_spells_the_options_of_each_variable() -> None:
    space = SearchSpace([DesignVariable("ks", (3, 5), 2), DesignVariable("w", tuple(range(12)), 2)])
    assert space.key(np.array([1, 0, 11, 3])) == "ks10-w11.3"


def test_a_variable_of_length_one_is_a_plain_value() -> None:
    space = SearchSpace([DesignVariable("act", ("relu", "swish")), DesignVariable("d", (2, 3), 2)])
    assert space.decode(np.array([1, 0, 1])) == {"act": "swish", "d": [2, 3]}
    np.testing.assert_array_equal(space.encode({"d": [2, 3], "act": "swish"}), [1, 0, 1])


def test_constants_end_an_architecture_and_are_no_genes() -> None:
    space = SearchSpace([DesignVariable("d", (2, 3), 2, constants=(1,)), DesignVariable("c", (5, 6), constants=(7, 8))])
    assert (space.n_genes, space.size, space.n_features) == (3, 8, 6)
    architecture = {"d": [3, 2, 1], "c": [6, 7, 8]}
    genotype = space.encode(architecture)
    assert genotype.tolist() == [1, 0, 1]
    assert space.decode(genotype) == architecture
    for wrong, message in (({"d": [3, 2]}, "'d' needs 3 values"), ({"d": [3, 2, 2]}, r"'d' ends with \[1\], got")):
        with pytest.raises(DynasError, match=message):
            space.encode(architecture | wrong)


def test_depth_gates_ask_for_one_more_block_each() -> None:
    assert depth_gates("d", [2, 1]) == (Gate("d", 0, 1), Gate("d", 0, 2), Gate("d", 1, 1))


def test_a_choice_that_is_another_name_of_an_earlier_one_is_never_told_apart() -> None:
    space = SearchSpace([DesignVariable("d", (0, 1, 2), 2, aliases={0: {1: 0}}), DesignVariable("w", (5, 6))])
    assert space.size == 2 * 3 * 2
    genotype = space.encode({"d": [1, 1], "w": 6})
    np.testing.assert_array_equal(genotype, space.encode({"d": [0, 1], "w": 6}))
    assert space.key(np.array([1, 1, 1])) == space.key(genotype) == "d01-w1"
    assert space.decode(np.array([1, 1, 1])) == {"d": [0, 1], "w": 6}
    assert space.one_hot(np.array([[1, 1, 1]])).tolist() == [[1, 0, 0, 0, 1, 0, 0, 1]]
    assert set(space.sample(200, np.random.default_rng(0))[:, 0]) == {0, 2}


def test_what_a_gate_asks_of_a_choice_holds_for_its_other_names() -> None:
    gated = DesignVariable("e", (3, 4, 6), gates=(Gate("d", 0, 1),))
    space = SearchSpace([DesignVariable("d", (0, 1, 2), aliases={0: {1: 0}}), gated])
    assert space.size == 1 + 3
    np.testing.assert_array_equal(space.canonical(np.array([[1, 2], [2, 2]])), [[0, 0], [2, 2]])


@pytest.mark.parametrize(
    ("aliases", "message"),
    [
        ({1: {5: 3}}, "5 as another name of 3 at position 1: give a position below 1"),
        ({0: {4: 3}}, "4 as another name of 3"),
        ({0: {5: 4}}, "5 as another name of 4"),
        ({0: {3: 5}}, "3 as another name of 5 .* a choice and an earlier choice"),
        ({0: {3: 3}}, "3 as another name of 3"),
    ],
)
def test_a_senseless_alias_is_refused(aliases: dict[int, dict[int, int]], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        DesignVariable("ks", (3, 5), aliases=aliases)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ks", ()), "'ks' needs at least one choice"),
        (("ks", (3,), 0), "'ks' needs at least one choice and one gene"),
        (("ks", (3, 5, 3)), r"'ks' repeats a choice: \[3, 5, 3\]"),
        (("ks", (3, 5), 2, (None,)), "'ks' has 2 genes but 1 gates"),
    ],
)
def test_a_senseless_design_variable_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        DesignVariable(*arguments)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ([DesignVariable("d", (1, 2)), DesignVariable("d", (3,))], "two design variables are called 'd'"),
        ([DesignVariable("ks", (3, 5), 1, (Gate("d", 0, 1),))], r"'ks' is gated by unknown gene d\[0\]"),
        (
            [DesignVariable("d", (1, 2)), DesignVariable("ks", (3, 5), 1, (Gate("d", 1, 1),))],
            r"'ks' is gated by unknown gene d\[1\]",
        ),
        (
            [DesignVariable("a", (1, 2), 1, (Gate("b", 0, 2),)), DesignVariable("b", (1, 2), 1, (Gate("a", 0, 2),))],
            "circle",
        ),
        ([DesignVariable("a", (1, 2), 1, (Gate("a", 0, 2),))], "circle"),
        ([], "design variable"),
    ],
)
def test_a_senseless_space_is_refused(variables: list[DesignVariable], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        SearchSpace(variables).size


@pytest.mark.parametrize(
    ("genotypes", "message"),
    [
        ([[0, 0, 0]], "has 2 genes, not shape"),
        ([0], "has 2 genes, not shape"),
        (np.zeros((1, 1, 2), dtype=int), "has 2 genes, not shape"),
        ([[0, 2]], "option indices"),
        ([[-1, 0]], "option indices"),
        ([[0.0, 1.0]], "option indices"),
    ],
)
def test_a_genotype_of_another_space_is_refused(tiny_space: SearchSpace, genotypes: Any, message: str) -> None:
    with pytest.raises(DynasError, match=message):
        tiny_space.check(genotypes)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ({"ks": [3] * 4}, "a mapping with the keys ks, d"),
        ({"ks": [3] * 4, "d": [1, 1], "e": 3}, "a mapping with the keys ks, d"),
        ([3, 3, 3, 3, 1, 1], "a mapping with the keys ks, d"),
        ({"ks": [3] * 3, "d": [1, 1]}, "'ks' needs 4 values"),
        ({"ks": 3, "d": [1, 1]}, "'ks' needs 4 values, got 3"),
        ({"ks": [3, 3, 3, 4], "d": [1, 1]}, r"'ks' cannot be 4: choose from \[3, 5, 7\]"),
    ],
)
def test_an_architecture_of_another_space_is_refused(gated_space: SearchSpace, architecture: Any, message: str) -> None:
    with pytest.raises(DynasError, match=message):
        gated_space.encode(architecture)


def test_uniform_sampling_meets_every_sub_network_equally_often(
    gated_space: SearchSpace, everything: Callable[[SearchSpace], set[bytes]]
) -> None:
    rows = gated_space.sample_uniform(144_000, np.random.default_rng(0))
    found, counts = np.unique(rows, axis=0, return_counts=True)
    assert {row.tobytes() for row in found} == everything(gated_space)
    assert chisquare(counts).pvalue > 0.01
    by_genes = np.unique(gated_space.sample(144_000, np.random.default_rng(0)), axis=0, return_counts=True)[1]
    assert chisquare(by_genes).pvalue < 1e-9


def test_uniform_sampling_counts_through_gates_of_gates() -> None:
    space = SearchSpace(
        [
            DesignVariable("d", (0, 1, 2)),
            DesignVariable("e", (0, 1), 1, (Gate("d", 0, 1),)),
            DesignVariable("ks", (3, 5, 7), 2, (Gate("e", 0, 1), Gate("d", 0, 2))),
        ]
    )
    assert space.size == 1 + (1 + 3) + (1 + 3) * 3
    counts = np.unique(space.sample_uniform(17_000, np.random.default_rng(1)), axis=0, return_counts=True)[1]
    assert len(counts) == space.size
    assert chisquare(counts).pvalue > 0.01


def test_uniform_sampling_counts_an_alias_once() -> None:
    space = SearchSpace(
        [
            DesignVariable("d", (0, 1, 2), aliases={0: {1: 0}}),
            DesignVariable("ks", (3, 5, 7, 9), 1, (Gate("d", 0, 2),), aliases={0: {9: 5}}),
        ]
    )
    assert space.size == 1 + 3
    counts = np.unique(space.sample_uniform(8_000, np.random.default_rng(1)), axis=0, return_counts=True)[1]
    assert len(counts) == space.size
    assert chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize(
    "choices",
    [[3, 5, 7], range(3, 9, 2), np.array([3, 5, 7]), (np.int64(3), np.int64(5), np.int64(7)), pd.array([3, 5, 7])],
)
def test_choices_may_be_any_sequence_of_numbers(choices: Any) -> None:
    variable = DesignVariable("ks", choices)
    assert variable.choices == (3, 5, 7)
    assert all(type(choice) is int for choice in variable.choices)


def test_choices_that_are_lists_become_tuples() -> None:
    space = SearchSpace([DesignVariable("widths", [[16, 32], [32, [64, 128]]])])
    assert space.decode(space.largest()) == {"widths": (32, (64, 128))}
    np.testing.assert_array_equal(space.encode({"widths": [32, [64, 128]]}), space.largest())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("act", ("relu")), "the choices of design variable 'act' are a text, 'relu'"),
        (("act", {"relu", "gelu"}), "are of type set"),
        (("act", {"relu": 1}), "are of type dict"),
        (("act", 3), "are of type int"),
        (("act", None), "are of type NoneType"),
        (("act", iter([1, 2])), "are of type list_iterator"),
        (("act", ({"a": 1}, {"a": 2})), "cannot have the choice {'a': 1}"),
        (("act", (1.0, float("nan"))), "cannot have the choice nan"),
        (("act", ()), "needs at least one choice"),
        (("act", np.zeros((2, 2))), "are of type ndarray"),
        (("act", (1, True)), "repeats a choice"),
        (("act", (1, 2), "3"), "length='3'"),
        (("act", (1, 2), 2.0), "length=2.0"),
        (("act", (1, 2), 1, Gate("d", 0, 1)), "the gates of design variable 'act' are of type Gate"),
        (("act", (1, 2), 1, ("d",)), "are Gate"),
        ((3, (1, 2)), "needs a name in words, got 3"),
    ],
)
def test_what_makes_no_design_variable_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(DynasError, match=re.escape(message)):
        DesignVariable(*arguments)


def test_what_makes_no_space_is_refused() -> None:
    for variables in (DesignVariable("a", (1, 2)), ["a"], None):
        with pytest.raises(DynasError, match="made from a list of DesignVariable"):
            SearchSpace(variables)  # type: ignore[arg-type]
    with pytest.raises(DynasError, match="cannot be compared with 1"):
        SearchSpace([DesignVariable("d", ("x", "y")), DesignVariable("a", (1, 2), 1, (Gate("d", 0, 1),))])
