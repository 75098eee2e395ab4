# SPDX-License-Identifier: Apache-2.0
"""What else may listen where an Ashlar daemon is looked for. The first segment of the path chooses
the answer; the port is printed when it is open. Ends by a signal."""
import http.server
import json
import time
import urllib.parse

PAGES = {"": (["v1"], "k 1&"), "k 1&": (["v2"], "k2"), "k2": (["v3"], None)}


class Odd(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/json", length=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if status == 302:
            self.send_header("Location", "/pages/v1")
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status, detail):
        self.answer(status, json.dumps({"title": "No", "status": status, "detail": detail}).encode())

    def pages(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if not url.path.endswith("/volumes"):
            self.answer(200, b"nothing", "text/plain")
            return
        names, following = PAGES[query.get("after", [""])[0]]
        items = [{"name": name, "pool": "p", "size": 4096} for name in names]
        self.answer(200, json.dumps({"items": items, "next": following}).encode())

    def endless(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b" " * (1 << 20))

    def do_GET(self):
        self.close_connection = True
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        what = self.path.split("/")[1]
        if what == "pages":
            self.pages()
        elif what == "endless":
            self.endless()
        elif what == "silence":
            time.sleep(5)
        elif what == "control":
            self.problem(409, "out \x1b[2Jof order")
        elif what == "teapot":
            self.answer(418, b"{}")
        elif what != "hangup":
            self.answer(*{
                "html": (200, b"<html>welcome</html>", "text/html"),
                "missing": (404, b"<html>no</html>", "text/html"),
                "redirect": (302, b"", "text/html"),
                "gateway": (502, b"bad gateway", "text/plain"),
                "array": (200, b"[]"),
                "cut": (200, b'{"id": "x'),
                "toolarge": (413, b"<html>413</html>", "text/html"),
            }[what])

    do_POST = do_DELETE = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
