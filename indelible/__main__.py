"""``python -m indelible`` is ``indelible``."""

from indelible.cli import main

if __name__ == "__main__":
    main(prog_name="indelible")
