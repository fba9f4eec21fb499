from tracehub.limiter import Limiter


def test_failures_in_the_window_count_and_then_are_forgotten() -> None:
    now = 0.0
    limiter = Limiter(2, 60, lambda: now)
    for now in (0.0, 10.0):
        assert limiter.seconds_to_wait("ada") == 0
        limiter.fail("ada")
    now = 20.0
    assert limiter.seconds_to_wait("ada") == 41
    assert limiter.seconds_to_wait("bob") == 0
    now = 60.0
    assert limiter.seconds_to_wait("ada") == 0
    now = 100.0
    limiter.seconds_to_wait("bob")
    assert not limiter._failures
