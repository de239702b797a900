/** Passes connections on: an address at which a server answers only after a call. */
import { connect, createServer, type Socket } from "node:net";

interface Relay {
  stop(): void;
}

/** @param port that nobody listens on; @param targetUrl on this machine */
export async function startRelay(port: number, targetUrl: string): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(Number(new URL(targetUrl).port), "127.0.0.1");
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => open.delete(one));
    }
  });
  await new Promise<void>((settle) => server.listen(port, "127.0.0.1", settle));
  return {
    stop() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
