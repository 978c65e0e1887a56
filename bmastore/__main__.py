"""``python -m bmastore``."""

from bmastore.cli import main

if __name__ == "__main__":
    main()
