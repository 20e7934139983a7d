from hevesy import errors


def every_error(kind=errors.HevesyError):
    yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


def test_every_refusal_has_an_exit_code_and_an_http_status():
    for kind in every_error():
        error = kind("refused.", "do this.")
        assert 1 <= errors.exit_code(error) < 128
        assert 400 <= errors.http_status(error) < 600
        assert str(error) == "refused. do this."


def test_the_nearest_ancestor_decides():
    assert errors.exit_code(errors.UnknownNuclide("x")) == errors.STATUS[errors.UnknownName][0]
