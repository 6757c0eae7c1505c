"""A real browser without a window, for tests of the page: it is told what to do over a pipe."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """`with Browser() as browser:`, then `open`, `evaluate`, `wait`; `messages` is what pages had to complain of."""

    def __init__(self, width=1200, height=900, dark=False):
        self.messages, self._number, self._buffer = [], 0, b""
        self._folder = tempfile.TemporaryDirectory(prefix="sluice-browser-", ignore_cleanup_errors=True)
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()

        def arrange():
            # The browser reads commands from descriptor 3, and answers to 4; neither of them may be in the way.
            first, second = os.dup(commands), os.dup(answers)
            os.dup2(first, 3), os.dup2(second, 4)

        words = [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                 "--disable-dev-shm-usage", "--remote-debugging-pipe", f"--user-data-dir={self._folder.name}",
                 f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--window-size={width},{height}",
                 "about:blank"]
        self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *words], preexec_fn=arrange,
                                         close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        os.close(commands), os.close(answers)
        targets = self._ask("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self._ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.ask(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._ask("Browser.close")
            self._process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._commands)
        os.close(self._answers)
        self._folder.cleanup()

    def ask(self, method, **parameters):
        """One command to the page; returns the answer."""
        return self._ask(method, self._session, **parameters)

    def _ask(self, method, session=None, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _read(self):
        while b"\0" not in self._buffer:
            data = os.read(self._answers, 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(line)

    def _note(self, event):
        details = event.get("params", {})
        if event.get("method") == "Log.entryAdded":
            entry = details["entry"]
            self.messages.append(f"{entry['level']} {entry['source']}: {entry['text']} {entry.get('url', '')}")
        elif event.get("method") == "Runtime.consoleAPICalled":
            self.messages.append(f"{details['type']}: {details['args']}")
        elif event.get("method") == "Runtime.exceptionThrown":
            self.messages.append(f"exception: {details['exceptionDetails']}")

    def open(self, url):
        self.ask("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression):
        """The value of an expression in the page."""
        done = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, expression, seconds=20.0):
        """Waits until an expression in the page is true; returns its value."""
        end = time.monotonic() + seconds
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < end, f"{expression} is {value!r}; {self.messages}"
            time.sleep(0.02)
        return value

    def text(self, selector):
        """The text of the first element for a selector."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText")

    def screenshot(self, file, whole=True):
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(file, "wb") as out:
            out.write(base64.b64decode(shot["data"]))
