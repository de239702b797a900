/** Way to a PostgreSQL server that stops to pass things on: in tests and drills, between a process and its database. */
import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";

/**
 * - `passes`: everything.
 * - `hangs`: connections are taken, and nothing is passed on in either direction. Those that were open stay mute for good, as
 *   behind a firewall that has forgotten them.
 * - `loses commits`: a COMMIT reaches the server, its answer does not come back, and the connection ends.
 */
export type ProxyState = "passes" | "hangs" | "loses commits";

export interface DatabaseProxy {
  /** The server's address, by way of this one. */
  readonly url: string;
  state: ProxyState;
  /**
   * Connects from now on to the database of this name in place of its own; open connections stay with the former one, as after a
   * switch of servers. The names are of one length.
   */
  switchTo(databaseName: string): void;
  /** Commits whose answers were lost. */
  readonly lostCommitCount: number;
  close(): Promise<void>;
}

/** Ends of an answer to COMMIT: "CommandComplete" with its tag. */
const COMMITTED = Buffer.from("COMMIT\0");
const COMMIT = Buffer.from("commit\0");

/** Way to a server on TCP, or on the socket of one that local-server.ts has started. */
export async function startDatabaseProxy(serverUrl: string): Promise<DatabaseProxy> {
  const { connect, url } = slotsOf(serverUrl);
  const sockets = new Set<Socket>();
  let state: ProxyState = "passes";
  let lostCommitCount = 0;
  const [, ownName] = decodeURIComponent(url.pathname).split("/");
  let switchedTo: string | null = null;
  const links = new Set<{ isMute: boolean; server: Socket }>();
  // One end says goodbye, and the other answers: behind a way that hangs nobody does.
  const proxy = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect();
    const link = { isMute: state === "hangs", isCommitting: false, server };
    links.add(link);
    // A connection's first message names its database.
    let newName = switchedTo;
    client.on("end", () => {
      if (!link.isMute) server.end();
    });
    client.on("data", (bytes: Buffer) => {
      if (link.isMute) return;
      if (state === "loses commits" && bytes.includes(COMMIT)) link.isCommitting = true;
      const isSwitched = newName !== null;
      const sent = isSwitched
        ? Buffer.from(bytes.toString("latin1").replace(`\0${ownName}\0`, `\0${newName}\0`), "latin1")
        : bytes;
      newName = null;
      server.write(sent);
    });
    server.on("data", (bytes: Buffer) => {
      if (link.isMute) return;
      if (link.isCommitting && bytes.includes(COMMITTED)) {
        lostCommitCount += 1;
        client.destroy();
        server.destroy();
        return;
      }
      client.write(bytes);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        if (one === server) links.delete(link);
        // Behind a way that hangs nobody hears of the other's end.
        if (!link.isMute) other.destroy();
      });
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    get state() {
      return state;
    },
    set state(next) {
      state = next;
      if (next === "hangs") for (const link of links) link.isMute = true;
      // A server that looks for the other end finds out that it is gone; the other end hears nothing of it.
      else for (const link of links) if (link.isMute) link.server.destroy();
    },
    switchTo(databaseName) {
      switchedTo = databaseName;
    },
    get lostCommitCount() {
      return lostCommitCount;
    },
    async close() {
      const closed = once(proxy, "close");
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** @returns how the server is reached, and its address but for the port */
function slotsOf(serverUrl: string): { connect: () => Socket; url: URL } {
  const socket = /^postgres:\/\/\/([^?]*)\?(.*)$/.exec(serverUrl);
  if (socket === null) {
    const { hostname, port } = new URL(serverUrl);
    const url = new URL(serverUrl);
    url.hostname = "127.0.0.1";
    return { connect: () => createConnection(Number(port), hostname), url };
  }
  const parameters = new URLSearchParams(socket[2]);
  const path = join(parameters.get("host")!, ".s.PGSQL.5432");
  const url = new URL(`postgres://${parameters.get("user")}@127.0.0.1/${socket[1]}`);
  return { connect: () => createConnection(path), url };
}
