"""A client of debugpy's adapter, which speaks the Debug Adapter Protocol as VS Code and JupyterLab do.

https://microsoft.github.io/debug-adapter-protocol: messages of JSON, each after a Content-Length header.
"""

import json
import os
import signal
import subprocess
import sys
from threading import Timer

from processes import ROOT, SECONDS, environment


class DebugAdapter:
    """A process of python -m debugpy.adapter, and the program that it debugs; both are ended when the context is left.

    Nothing waits by the clock: a read waits for the next message, and fails when the adapter is gone. A timer ends an
    adapter that says nothing for SECONDS.
    """

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "debugpy.adapter"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            env=environment(PYTHONWARNINGS="", PYDEVD_DISABLE_FILE_VALIDATION="1"),
        )  # fmt: skip
        self.timer = Timer(SECONDS, self._kill)
        self.timer.start()
        self.sent, self.received = 0, []
        return self

    def __exit__(self, *exception):
        self.timer.cancel()
        self._kill()
        self.process.communicate(timeout=SECONDS)

    def _kill(self):
        """Ends the adapter with all that it started: they are a process group of their own."""
        if hasattr(os, "killpg"):
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()

    def launch(self, module, *arguments):
        """Begins to debug python -m module arguments, up to where breakpoints can be set."""
        self.request("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
        self.send(
            "launch", module=module, args=list(arguments), cwd=str(ROOT), python=[sys.executable],
            console="internalConsole", justMyCode=False,
        )  # fmt: skip
        self.event("initialized")

    def send(self, command, **arguments):
        """Sends a request; returns its number."""
        self.sent += 1
        message = {"seq": self.sent, "type": "request", "command": command, "arguments": arguments}
        content = json.dumps(message).encode("utf-8")
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self.process.stdin.flush()
        return self.sent

    def request(self, command, **arguments):
        """Sends a request; returns the body of its answer."""
        number = self.send(command, **arguments)
        return self._first(lambda message: message.get("request_seq") == number).get("body")

    def event(self, *names):
        """(name, body) of the first event of one of these names, one that has come before or one that is waited for."""
        message = self._first(lambda message: message.get("event") in names)
        return message["event"], message.get("body")

    def _first(self, is_wanted):
        """The first message that is wanted, of those that have come and those that will."""
        while not any(map(is_wanted, self.received)):
            self.received.append(self._read())
        message = next(filter(is_wanted, self.received))
        self.received.remove(message)
        return message

    def _read(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, f"debugpy's adapter has ended; its last messages: {self.received[-3:]}"
        message = json.loads(self.process.stdout.read(length))
        assert message.get("success", True), message
        return message

    def local_variables(self, thread):
        """(the function's name, its local variables by name, as text) where a thread has stopped."""
        frame = self.request("stackTrace", threadId=thread, levels=1)["stackFrames"][0]
        scopes = self.request("scopes", frameId=frame["id"])["scopes"]
        (reference,) = [scope["variablesReference"] for scope in scopes if scope["name"] == "Locals"]
        variables = self.request("variables", variablesReference=reference)["variables"]
        return frame["name"], {variable["name"]: variable["value"] for variable in variables}
