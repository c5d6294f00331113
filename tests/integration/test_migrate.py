from darkroom.db import migrate


def test_migrating_twice_applies_nothing_the_second_time(database_url):
    assert migrate.migrate(database_url) == []
    assert migrate.status(database_url).pending == ()
