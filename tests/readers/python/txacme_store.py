"""txacme's certificate store and account key, asked from a command line.

    txacme_store.py list DIRECTORY          one line an entry: name, types, digest of its text
    txacme_store.py copy FROM TO NAME       reads an entry of one store, writes it to another
    txacme_store.py key DIRECTORY           loads or creates client.key; thumbprint, then a signature
"""

import collections
import collections.abc
import hashlib
import sys

# What txacme expects of Python, which has moved it since.
collections.Mapping = collections.abc.Mapping

from josepy import b64encode, jwa
from twisted.python.filepath import FilePath
from txacme.endpoint import load_or_create_client_key
from txacme.store import DirectoryStore


def now(deferred):
    """The result of something that does not wait."""
    results = []
    failures = []
    deferred.addCallbacks(results.append, failures.append)
    for failure in failures:
        failure.raiseException()
    return results[0]


def listed(directory):
    for name, objects in sorted(now(DirectoryStore(FilePath(directory)).as_dict()).items()):
        text = b"".join(it.as_bytes() for it in objects)
        types = "+".join(type(it).__name__ for it in objects)
        print("said:", name, types or "blank", hashlib.sha256(text).hexdigest())


def copy(source, target, name):
    objects = now(DirectoryStore(FilePath(source)).get(name))
    now(DirectoryStore(FilePath(target)).store(name, objects))


def key(directory):
    loaded = load_or_create_client_key(FilePath(directory))
    print("said:", b64encode(loaded.thumbprint()).decode())
    print("said:", b64encode(jwa.RS256.sign(loaded.key, b"a message")).decode())


{"list": listed, "copy": copy, "key": key}[sys.argv[1]](*sys.argv[2:])
print("done.")
