"""`tieout keys`: made, listed and revoked from the shell."""

from pathlib import Path

from alembic import command
from typer.testing import CliRunner, Result

from gateway.cli.keys import app
from gateway.db.migrate import alembic_config
from gateway.db.session import Database
from gateway.errors import NotFound
from gateway.keys.keys import recognise


def test_a_key_lives_from_create_to_revoke(database: Database, tmp_path: Path) -> None:
    (tmp_path / "tieout.yaml").write_text("{}", encoding="utf-8")
    with database.engine.connect() as connection:
        command.stamp(alembic_config(connection), "head")
        connection.commit()
    url = database.engine.url.render_as_string(hide_password=False)

    def run(*arguments: str) -> Result:
        environment = {"TIEOUT_DATABASE_URL": url, "TIEOUT_CONFIG": str(tmp_path / "tieout.yaml"), "COLUMNS": "200"}
        return CliRunner().invoke(app, [*arguments], env=environment)

    key = run("create", "zuora [prod]", "--scope", "prebill:validate").stdout.strip()
    with database.session() as session:
        caller = recognise(session, key)
    assert caller is not None
    assert caller.scopes == {"prebill:validate"}
    listed = run("list").stdout
    assert caller.key_id in listed
    assert "zuora [prod]" in listed
    assert key.rpartition("_")[2] not in listed
    assert run("revoke", caller.key_id).exit_code == 0
    with database.session() as session:
        assert recognise(session, key) is None
    assert isinstance(run("revoke", "000000000000").exception, NotFound)
