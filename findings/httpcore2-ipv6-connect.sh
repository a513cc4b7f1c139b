#!/usr/bin/env bash
# httpx2 and httpcore2 2.16.2: the address of a server that is written as IPv6 loses its brackets where a proxy is asked to
# open a tunnel to it. `https://[2001:db8::1]/` becomes `CONNECT 2001:db8::1:443`, in the Host header too.
#
# RFC 9112 section 3.2.3 and RFC 3986 section 3.2.2 want `CONNECT [2001:db8::1]:443`. A strict proxy answers 400, a lenient
# one may take `2001:db8::1:443` for an address. Seen in November 2026. A receiver behind a proxy is to be named by its name:
# docs/operations/network.md says so.
#
# Prints the first line that the proxy gets; fails where it has brackets.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check httpx2==2.16.2 httpcore2==2.16.2 2>/dev/null
cat > "$folder/show.py" <<'PYTHON'
import socket
import threading

import httpx2

proxy = socket.create_server(("127.0.0.1", 0))


def answer() -> None:
    connection, _ = proxy.accept()
    with connection:
        print(connection.recv(4096).decode().splitlines()[0], flush=True)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


thread = threading.Thread(target=answer)
thread.start()
try:
    with httpx2.Client(proxy=f"http://127.0.0.1:{proxy.getsockname()[1]}", trust_env=False) as client:
        client.get("https://[2001:db8::1]/")
except httpx2.ProxyError:
    pass
thread.join()
PYTHON
found=$("$folder/venv/bin/python" "$folder/show.py")
echo "$found"
[ "$found" = "CONNECT 2001:db8::1:443 HTTP/1.1" ]
