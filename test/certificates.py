"""Authorities and certificates for tests, made by openssl's command line."""
import hashlib
import subprocess
from pathlib import Path


def openssl(*arguments, input=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=input, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments}: {done.stderr.decode()}")
    return done.stdout


class Certificate:
    def __init__(self, directory, name):
        self.file, self.key = (Path(directory) / f"{name}.{end}" for end in ("pem", "key"))

    @property
    def pem(self):
        return self.file.read_text()

    @property
    def key_pem(self):
        return self.key.read_text()

    @property
    def pin(self):
        public = openssl("x509", "-in", self.file, "-pubkey", "-noout")
        return "sha256:" + hashlib.sha256(openssl("pkey", "-pubin", "-outform", "der", input=public)).hexdigest()

    @property
    def identity(self):
        """As a configuration names it."""
        return {"certificate": str(self.file), "key": str(self.key)}


def make(directory, name, issuer=None, names="DNS:localhost,IP:127.0.0.1", days=30, authority=False):
    """`issuer` None: signed by itself. `days` -1: expired a day ago."""
    out = Certificate(directory, name)
    extensions = "basicConstraints=critical,CA:TRUE\n" if authority else f"subjectAltName={names}\n"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", out.key, "-out", out.file.with_suffix(".csr"))
    extension_file = out.file.with_suffix(".ext")
    extension_file.write_text(extensions)
    signer = ["-signkey", out.key] if issuer is None else ["-CA", issuer.file, "-CAkey", issuer.key, "-CAcreateserial"]
    openssl("x509", "-req", "-in", out.file.with_suffix(".csr"), "-out", out.file, "-extfile", extension_file,
            "-days", days, *signer)
    return out
