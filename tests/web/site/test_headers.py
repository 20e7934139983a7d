import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "src/hevesy/web").rglob("templates/**/*.html"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/account/login/", "/nowhere", "/static/site/site.css", "/health"])
def test_every_answer_says_what_the_browser_may_do(client, path):
    answer = client.get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


def of_a_server(name, **environment):
    code = f"from hevesy.web.site import settings; print(repr(settings.{name}))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_behind_https_nothing_leaves_it():
    for name in (
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_HSTS_INCLUDE_SUBDOMAINS",
        "SECURE_SSL_REDIRECT",
    ):
        assert of_a_server(name, HEVESY_HTTPS="1") == "True"
    assert int(of_a_server("SECURE_HSTS_SECONDS", HEVESY_HTTPS="1")) >= 31_536_000


def test_without_a_setting_the_site_answers_to_this_machine_alone():
    assert of_a_server("ALLOWED_HOSTS", HEVESY_HOSTS="localhost") == "['localhost']"
    assert "localhost" in of_a_server("ALLOWED_HOSTS")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "src/hevesy/web")))
def test_a_template_holds_no_script_or_style_of_its_own(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert "<style" not in text
    for script in re.findall(r"<script[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script, script
    assert not re.search(r"(src|href)=[\"'](https?:)?//", text), "a page asks no other server for anything"


def test_no_secret_lies_in_the_repository():
    text = (ROOT / "src/hevesy/web/site/settings.py").read_text(encoding="utf-8")
    assert "SECRET_KEY = HOME.secret_key()" in text


def test_the_secret_key_is_made_at_the_first_start_for_its_owner_alone(tmp_path):
    first = of_a_server("SECRET_KEY", HEVESY_HOME=str(tmp_path))
    assert first == of_a_server("SECRET_KEY", HEVESY_HOME=str(tmp_path))
    assert len(first) > 50
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0
    assert first != of_a_server("SECRET_KEY", HEVESY_HOME=str(tmp_path / "other"))


def test_servers_that_start_at_once_have_one_secret_key(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    from hevesy.web.site.home import Home

    for attempt in range(20):
        home = Home(tmp_path / str(attempt))
        home.prepare()
        with ThreadPoolExecutor(8) as pool:
            keys = {task.result() for task in [pool.submit(home.secret_key) for _ in range(8)]}
        assert len(keys) == 1
        assert len(keys.pop()) >= 64
        assert not list(home.folder.glob(".secret-key-*"))
