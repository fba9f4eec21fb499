import pytest

from tracehub import containers


@pytest.mark.parametrize("number", ["CSQU3054383", "MSKU9070323", "tghu 759 933-0"])
def test_a_right_number_is_stored_without_blanks(number: str) -> None:
    assert containers.normalise(number) == number.upper().replace(" ", "").replace("-", "")


def test_a_remainder_of_ten_is_written_as_zero() -> None:
    assert containers.check_digit("MSKU000008") == 0
    assert containers.normalise("MSKU0000080")


def test_a_wrong_check_digit_is_named() -> None:
    with pytest.raises(ValueError, match="check digit of CSQU3054384 should be 3"):
        containers.normalise("CSQU3054384")


@pytest.mark.parametrize("number", ["", "CSQ3054383", "CSQX3054383", "CSQU305438", "CSQU30543٨3"])
def test_another_shape_is_no_container_number(number: str) -> None:
    with pytest.raises(ValueError, match="4 letters"):
        containers.normalise(number)
