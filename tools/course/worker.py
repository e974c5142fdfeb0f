"""The process that runs a submission: its cells, then its functions, at the grader's request.

It starts with nothing of the grader's but two pipes. Tests, expected values and marks stay outside:
what comes in are arguments, what goes out are results.
"""

import builtins
import os
import sys
import traceback


def main(inbox: int, outbox: int) -> None:
    """Confine this process, then answer requests until there are no more."""
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:0] = [folder]
    import sandbox
    import wire

    def read(count: int) -> bytes:
        parts = []
        while count:
            part = os.read(inbox, min(count, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    start = wire.receive(read)
    sys.path[:0] = start["library"]
    sandbox.limit(**start["limits"])
    writable = [os.getcwd(), "/dev/null"]
    readable = [*start["readable"], f"/proc/{os.getpid()}"]  # its own, where threads are counted
    held = sandbox.confine(readable, writable) if start["confine"] else []
    run, names = interpreter()
    wire.send(outbox, {"ready": held})
    while True:
        request = wire.receive(read)
        try:
            answer = respond(request, run, names, wire)
        except BaseException as error:  # a submission may raise anything, SystemExit too
            answer = {"error": describe(error)}
        try:
            wire.send(outbox, answer)
        except (TypeError, ValueError, RecursionError) as error:
            wire.send(outbox, {"error": f"the result cannot be sent: {error}"})


def interpreter():
    """Return a function that runs a cell, and the names that cells define."""
    os.environ["MPLBACKEND"] = "Agg"
    try:
        from IPython.core.history import HistoryManager
        from IPython.core.interactiveshell import InteractiveShell
    except ImportError:
        names = {"__name__": "__main__", "__builtins__": builtins}

        def plain(source: str) -> None:
            exec(compile(source, "<cell>", "exec"), names)

        return plain, names
    HistoryManager.enabled = False
    shell = InteractiveShell.instance()

    def run(source: str) -> None:
        shell.run_cell(source, store_history=False).raise_error()

    return run, shell.user_ns


def respond(request, run, names, wire):
    """Return the answer to one request."""
    if "define" in request:
        names.update({name: wire.unpack(value) for name, value in request["define"].items()})
        names["check"] = lambda *_: None  # the grader asks the questions itself
        return {"value": None}
    if "cell" in request:
        run(request["cell"])
        return {"value": None}
    if "look" in request:
        name = request["look"]
        return {"value": wire.pack(names[name], name)} if name in names else {"missing": name}
    arguments = [wire.unpack(value) for value in request["arguments"]]
    options = {key: wire.unpack(value) for key, value in request["options"].items()}
    return {"value": wire.pack(names[request["call"]](*arguments, **options))}


def describe(error: BaseException) -> str:
    """Return the error in a line or two: its type, its message, the line of the submission."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f for f in frames if "ipython-input" in f.filename or f.filename == "<cell>"]
    where = f" (line {lines[-1].lineno} of the cell)" if lines else ""
    return f"{type(error).__name__}: {error}"[:500] + where


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
