import http.server
import threading
import webbrowser

import pytest

from hevesy.cli import browser


@pytest.fixture
def opened(monkeypatch):
    pages = []
    monkeypatch.setattr(webbrowser, "open", pages.append)
    return pages


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_the_page_opens_once_the_server_answers(opened):
    with http.server.HTTPServer(("127.0.0.1", 0), Healthy) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        thread = browser.show_when_ready(f"{address}/first", f"{address}/health")
        assert opened == []  # nobody answers yet
        threading.Thread(target=server.handle_request, daemon=True).start()
        thread.join(timeout=20)
    assert opened == [f"{address}/first"]


def test_no_page_opens_for_a_server_that_never_answers(opened, monkeypatch):
    monkeypatch.setattr(browser, "_LONGEST_S", 0.5)
    browser.show_when_ready("http://127.0.0.1:9/", "http://127.0.0.1:9/health").join(timeout=10)
    assert opened == []


@pytest.mark.parametrize("display", ["", ":0"])
def test_a_machine_without_a_screen_is_left_alone(monkeypatch, display):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", display)
    assert browser.has_screen() is bool(display)
