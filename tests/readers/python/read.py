"""Says of each file of a folder whether TxSNI, and whether Twisted, makes a certificate of it.

    read.py FOLDER

One line a file: its name, then `yes`, `no` or `hangs` for TxSNI, and for Twisted.
"""

import os
import shutil
import signal
import sys
import tempfile

from twisted.protocols._sni import autoReloadingDirectoryOfPEMs
from twisted.python.filepath import FilePath
from txsni.only_noticed_pypi_pem_after_i_wrote_this import (
    certificateOptionsFromPileOfPEM,
)


def txsni(path):
    with open(path, "rb") as file:
        certificateOptionsFromPileOfPEM(file.read()).getContext()


def twisted(path):
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(path, os.path.join(directory, "www.example.com.pem"))
        lookup = autoReloadingDirectoryOfPEMs(FilePath(directory))
        if lookup(b"www.example.com") is None:
            raise ValueError("no certificate for the name")


class Hangs(BaseException):
    """A reader takes longer than a visitor would wait."""


def hangs(number, frame):
    raise Hangs


def answer(read, path):
    signal.alarm(5)
    try:
        read(path)
    except Hangs:
        return "hangs"
    except Exception:
        return "no"
    finally:
        signal.alarm(0)
    return "yes"


signal.signal(signal.SIGALRM, hangs)


# OpenSSL asks a person at a terminal for the passphrase of an encrypted key.
os.setsid()
for name in sorted(os.listdir(sys.argv[1])):
    path = os.path.join(sys.argv[1], name)
    print("said:", name, answer(txsni, path), answer(twisted, path), flush=True)
print("done.")
