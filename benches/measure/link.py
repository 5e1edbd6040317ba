"""A link with latency in front of a server: what the server answers comes so much later."""

import asyncio
import threading


class Link:
    """Listens on a port of its own and passes everything on. Each piece of an answer waits for the latency; pieces
    that follow at once wait together, as on a long line."""

    def __init__(self, port, latency_ms):
        self.target, self.latency = port, latency_ms / 1000
        self.loop = asyncio.new_event_loop()
        self.port = None
        ready = threading.Event()
        threading.Thread(target=self._serve, args=(ready,), daemon=True).start()
        ready.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)

    def _serve(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def _connect(self, reader, writer):
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self._pass(reader, to_writer, 0), self._pass(to_reader, writer, self.latency))

    async def _pass(self, reader, writer, latency):
        pieces = asyncio.Queue()
        writing = asyncio.ensure_future(self._write(pieces, writer))
        try:
            while piece := await reader.read(1 << 16):
                pieces.put_nowait((self.loop.time() + latency, piece))
        except ConnectionError:
            pass  # the peer is gone, which the other side is told below
        pieces.put_nowait((self.loop.time() + latency, None))
        await writing

    async def _write(self, pieces, writer):
        try:
            while True:
                due, piece = await pieces.get()
                await asyncio.sleep(due - self.loop.time())
                if piece is None:
                    break
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass  # nobody is there to read the answer
        writer.close()
