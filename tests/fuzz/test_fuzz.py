"""Damaged and forged files, by the thousand: each is refused in words or right, never else."""

import os

import pytest
from parsers import PARSERS, fuzz


@pytest.mark.parametrize("name", PARSERS)
def test_a_few_hundred_cases(name, tmp_path):
    """The first ones, the same every time."""
    cases = 30 if name in ("commands", "texts") else 300
    accepted, refused, findings = fuzz(name, cases, folder=tmp_path)
    assert not findings
    assert refused > cases / 20


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_many_cases(name, tmp_path):
    """Others every day, for a minute; QW2V_FUZZ_SECONDS=600 takes longer."""
    import datetime

    seed = datetime.date.today().toordinal()
    seconds = float(os.environ.get("QW2V_FUZZ_SECONDS", 60))
    _, _, findings = fuzz(name, 10**6, seed=seed, folder=tmp_path, seconds=seconds)
    assert not findings, f"seed {seed}"


# Found by fuzzing, and mended since.
FOUND = {
    "lists": [b" :\nking queen man woman\n", b'":",queen\n: c\na b c d\n'],
}


@pytest.mark.parametrize("name", FOUND)
def test_findings_stay_mended(name, tmp_path):
    parser = PARSERS[name](tmp_path)
    for data in FOUND[name]:
        try:
            parser.run(data)
        except ValueError as error:
            assert str(error)
