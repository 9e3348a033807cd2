"""`python -m pawsort`: the command `pawsort` without its script."""

from pawsort.cli import main

if __name__ == "__main__":
    main()
