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
        self.sent, self.events = 0, []
        return self

    def __exit__(self, *exception):
        self.timer.cancel()
        self._kill()
        self.process.wait(SECONDS)
        self.process.stdin.close()
        self.process.stdout.close()

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
        while True:
            message = self._read()
            if message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return message.get("body")
            self._keep(message)

    def event(self, *names):
        """(name, body) of the first event of one of these names, one that has come before or one that is waited for."""
        while True:
            for k, message in enumerate(self.events):
                if message["event"] in names:
                    del self.events[k]
                    return message["event"], message.get("body")
            self._keep(self._read())

    def _keep(self, message):
        if message["type"] == "event":
            self.events.append(message)
        assert message.get("success", True), message

    def _read(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, f"debugpy's adapter has ended; its last events: {self.events[-3:]}"
        return json.loads(self.process.stdout.read(length))

    def local_variables(self, thread):
        """(the function's name, its local variables by name, as text) where a thread has stopped."""
        frame = self.request("stackTrace", threadId=thread, levels=1)["stackFrames"][0]
        scopes = self.request("scopes", frameId=frame["id"])["scopes"]
        (reference,) = [scope["variablesReference"] for scope in scopes if scope["name"] == "Locals"]
        variables = self.request("variables", variablesReference=reference)["variables"]
        return frame["name"], {variable["name"]: variable["value"] for variable in variables}
