#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lib/send-file.py SOCKET REQUEST FILE - one request with an open file

Node cannot send descriptors. Prints the answer's line.
"""
import socket
import sys

path, request, name = sys.argv[1:]
with socket.socket(socket.AF_UNIX) as control, open(name, 'rb') as file:
    control.connect(path)
    socket.send_fds(control, [request.encode() + b'\n'], [file.fileno()])
    text = b''
    while not text.endswith(b'\n'):
        part = control.recv(65536)
        if not part:
            sys.exit('the daemon closed the connection')
        text += part
    print(text.decode(), end='')
