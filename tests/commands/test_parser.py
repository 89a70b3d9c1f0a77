"""Misspelt options of the commands that Hydra does not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.cli import dynas
from tests.helpers.processes import one_sentence
from tests.helpers.run_folders import FIVE, write_search


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("report run --pik knee", "no option --pik; did you mean --pick?; see dynas report --help"),
        ("report run --pictuers=out", "no option --pictuers; did you mean --pictures?"),
        (
            "report run --format tabel",
            "unknown --format 'tabel': choose one of csv, json, latex, markdown, table",
        ),
        ("report run --where mdoe=linas", "did you mean mode?"),
        ("report run --where mode=lians", "mode is linas in these; did you mean linas?"),
        ("report run --objectives topp1", "its objectives are top1, latency; did you mean top1?"),
        ("report run --reference topp1=1,latency=5", "did you mean top1?"),
        ("report run --normalise latncy", "did you mean latency?"),
        ("report run --pick latncy<=20", "did you mean latency?"),
        ("report", "the following arguments are required: RUN; see dynas report --help"),
        ("export run --best topp1", "did you mean top1?"),
        ("export run --rwo 3", "no option --rwo; did you mean --row?"),
        ("export run --row three", "argument --row: invalid int value: 'three'; see dynas export --help"),
        ("export run --row 1 --formats onx", "did you mean onnx?"),
        ("export run more", "unrecognized arguments: more; see dynas export --help"),
        ("paper figure44", "did you mean figure4?"),
        ("paper --seedz 3", "no option --seedz; did you mean --seeds?"),
        ("reprot run", "did you mean report?"),
        ("lut chek", "did you mean check?"),
        ("lut check --hepl", "no option --hepl; did you mean --help?"),
    ],
)
def test_a_misspelt_word_is_one_sentence_that_names_what_may_be_meant(words: str, said: str, tmp_path: Path) -> None:
    write_search(tmp_path / "run", FIVE)
    refused = dynas(*words.split(), cwd=tmp_path)
    assert refused.returncode == 1
    assert one_sentence(refused.stderr), refused.stderr
    assert said in refused.stderr
