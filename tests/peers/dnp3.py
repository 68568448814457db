#!/usr/bin/env python3
"""Start one DNP3 outstation of an independent stack on a given address, TCP or UDP.

It prints `READY name address:port` once it listens, and ends on SIGTERM or when its
standard input closes, so that it never outlives the test that started it.
What each of them says: README.md.
"""

import sys
import threading
import types

# This file has the name of a package that one of the stacks lives in, so its folder goes last.
sys.path.append(sys.path.pop(0))

from serve import Ready, main

OUTSTATION, MASTER = 10, 1


def opendnp3(bind: str, port: int, ready: Ready) -> None:
    """opendnp3 over TCP; it sends its empty unsolicited response to whoever connects."""
    serve_opendnp3(bind, port, ready, unsolicited=True)


def opendnp3_quiet(bind: str, port: int, ready: Ready) -> None:
    """The same, which speaks when it is asked and not before."""
    serve_opendnp3(bind, port, ready, unsolicited=False)


def serve_opendnp3(bind: str, port: int, ready: Ready, unsolicited: bool) -> None:
    import opendnp3 as stack

    class Listener(stack.IChannelListener):
        def OnStateChange(self, state: object) -> None:
            pass

    class Commands(stack.ICommandHandler):
        def __getattr__(self, name: str) -> object:
            print(f"WRITE {name}", file=sys.stderr, flush=True)
            return lambda *_: None

    config = stack.OutstationStackConfig(stack.DatabaseConfig(5))
    config.link.LocalAddr, config.link.RemoteAddr = OUTSTATION, MASTER
    config.outstation.params.allowUnsolicited = unsolicited
    kept = types.SimpleNamespace()
    kept.manager = stack.DNP3Manager(1)
    kept.listener, kept.commands = Listener(), Commands()
    kept.application = stack.IOutstationApplication()
    kept.channel = kept.manager.AddTCPServer(
        "peer",
        stack.LogLevels.none(),
        stack.ServerAcceptMode.CloseExisting,
        stack.IPEndpoint(bind, port),
        kept.listener,
    )
    kept.outstation = kept.channel.AddOutstation("peer", kept.commands, kept.application, config)
    kept.outstation.Enable()
    ready()
    threading.Event().wait()


def dnp3py(bind: str, port: int, ready: Ready) -> None:
    """dnp3py over TCP, written in Python."""
    import asyncio

    from dnp3.database import BinaryInputConfig, Database
    from dnp3.outstation import Outstation, OutstationConfig, OutstationTcpRunner

    async def serve() -> None:
        database = Database()
        database.add_binary_input(0, BinaryInputConfig())
        config = OutstationConfig(address=OUTSTATION)
        outstation = Outstation(database=database, config=config)
        runner = OutstationTcpRunner(outstation=outstation, host=bind, port=port)
        task = asyncio.create_task(runner.run())
        while not runner.is_running:
            await asyncio.sleep(0.02)
        ready()
        await task

    asyncio.run(serve())


PEERS = {
    "dnp3-opendnp3": opendnp3,
    "dnp3-opendnp3-quiet": opendnp3_quiet,
    "dnp3-dnp3py": dnp3py,
}


if __name__ == "__main__":
    main(PEERS, __doc__)
