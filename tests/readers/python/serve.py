"""Serves HTTP over TLS at an endpoint string of Twisted's, until it is ended.

    serve.py 'txsni:DIRECTORY:tcp:0:interface=127.0.0.1'

Says `port n` once it listens.
"""

import sys

from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.python import log
from twisted.web import resource, server


class Hello(resource.Resource):
    isLeaf = True

    def render_GET(self, request):
        return b"hello\n"


def listening(port):
    print("port", port.getHost().port, flush=True)


def failed(failure):
    print("failed:", failure.getErrorMessage(), flush=True)
    reactor.stop()


log.startLogging(sys.stderr)
endpoint = serverFromString(reactor, sys.argv[1])
endpoint.listen(server.Site(Hello())).addCallbacks(listening, failed)
reactor.run()
