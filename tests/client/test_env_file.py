"""env_file.py: which file is read, and that nothing else gets into its values."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kimi_openai.client.env_file import find_env_file, foreign_env_files
from kimi_openai.client.settings import find_variables, resolve
from kimi_openai.errors.exceptions import KimiCompatWarning, SettingsError
from tests.conftest import Mode

SOMEBODY = 54321
"""The id of another user."""


@pytest.fixture
def another_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `.env` in the working directory that belongs to another user, with a key and a base URL in it."""
    path = tmp_path / ".env"
    path.write_text("MOONSHOT_API_KEY=sk-theirs\nMOONSHOT_BASE_URL=https://evil.example/v1\n")
    if os.geteuid() == 0:
        os.chown(path, SOMEBODY, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)
    return path


def test_a_file_of_another_user_is_not_read(mode: Mode, another_users: Path) -> None:
    """It may lie in a folder that everybody can write to. The warning names it."""
    with (
        pytest.warns(KimiCompatWarning, match=rf"{another_users} belongs to another user and is not read"),
        pytest.raises(SettingsError, match="no Kimi API key"),
    ):
        mode.client()
    with pytest.warns(KimiCompatWarning, match="belongs to another user"):
        client = mode.client(api_key="sk-1")
    assert client.base_url == "https://api.moonshot.ai/v1/"


def test_the_search_goes_on_above_a_file_of_another_user(
    another_users: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of one's own further up is found. What is passed over is known to `doctor`."""
    inner = tmp_path / "inner"
    inner.mkdir()
    another_users.rename(inner / ".env")
    monkeypatch.chdir(inner)
    if os.geteuid() == 0:
        (tmp_path / ".env").write_text("MOONSHOT_API_KEY=sk-mine\n")
        assert find_variables() == (f"MOONSHOT_API_KEY in {tmp_path / '.env'}",)
    assert foreign_env_files(".env") == (inner / ".env",)


def test_a_link_of_another_user_is_not_followed(tmp_path: Path, another_users: Path) -> None:
    """The owner of the link decides which file is read, so both owners count."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a link away")
    another_users.unlink()
    (tmp_path / "mine").write_text("MOONSHOT_API_KEY=sk-mine\n")
    another_users.symlink_to(tmp_path / "mine")
    assert find_env_file(".env")
    os.lchown(another_users, SOMEBODY, -1)
    assert find_env_file(".env") is None


@pytest.mark.filterwarnings("error")
def test_a_path_is_read_whoever_owns_the_file(another_users: Path) -> None:
    """Because the caller named the place."""
    settings = resolve(env_file=another_users, environ={})
    assert (settings.api_key, settings.base_url) == ("sk-theirs", "https://evil.example/v1")


def test_values_are_not_put_together_from_variables(
    mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`${NAME}` in a file would send any variable of the environment to the host in the file."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
    (tmp_path / ".env").write_text("MOONSHOT_API_KEY=sk-$AWS_SECRET_ACCESS_KEY\n")
    assert mode.client().api_key == "sk-$AWS_SECRET_ACCESS_KEY"
    for line in (
        "MOONSHOT_API_KEY=${AWS_SECRET_ACCESS_KEY}",
        "MOONSHOT_BASE_URL=https://h/${AWS_SECRET_ACCESS_KEY}/v1",
    ):
        (tmp_path / ".env").write_text(f"MOONSHOT_API_KEY=sk-1\n{line}\n")
        with pytest.raises(SettingsError, match=r"\$\{\.\.\.\}.* does not replace here") as caught:
            mode.client()
        assert "aws-secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["sk-secret", "/sk-secret/.env", "a" * 5000, "nul\0"])
def test_a_missing_file_is_named_but_no_key(name: str) -> None:
    """A key as `env_file` is not quoted."""
    with pytest.raises(SettingsError, match="env_file: there is no file") as caught:
        find_env_file(name)
    assert "secret" not in str(caught.value)
