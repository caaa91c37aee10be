"""`python -m adcompiler`: the commands (`adcompiler.command_line`)."""

from adcompiler.command_line.commands import main

if __name__ == "__main__":
    main()
