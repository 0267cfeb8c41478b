"""The licences of the Python packages installed beside this interpreter, as a Markdown table.

docker run --rm -i digit-recognition-app python - < container/licences.py > THIRD_PARTY.md
"""

from importlib.metadata import Distribution, distributions

INTRODUCTION = """\
# What the image ships, and under which licences

Written by `docker run --rm -i digit-recognition-app python - < container/licences.py > THIRD_PARTY.md`. Each package's
licence text lies in its `.dist-info` folder in the image, those of Debian's packages under `/usr/share/doc`. The wheels
of NumPy, Pillow and ONNX Runtime bundle further libraries, Streamlit's page JavaScript and fonts; their notices lie in
the same folders. That of psycopg bundles PostgreSQL's libpq and what it needs, OpenSSL, Kerberos, OpenLDAP and Cyrus
SASL, which its folder lists. `app/samples/rds.pem` has the root certificates that Amazon publishes for RDS.

| package | licence |
|---|---|
| [CPython](https://www.python.org), in the base image | PSF-2.0 |
| [Debian](https://www.debian.org)'s packages, in the base image | several, all free |"""


def licence(package: Distribution) -> str:
    """The licence that a package declares: an SPDX expression where it has one, else what older fields say."""
    declared = package.metadata.json
    written = str(declared.get("license_expression") or declared.get("license") or "\n")
    classified = [str(entry).rpartition(" :: ")[2] for entry in declared.get("classifier", []) if "License" in entry]
    return ", ".join(classified) or "see its folder" if "\n" in written else written


if __name__ == "__main__":
    print(INTRODUCTION)
    for package in sorted(distributions(), key=lambda found: found.name.lower()):
        print(f"| [{package.name}](https://pypi.org/project/{package.name}/) | {licence(package)} |")
