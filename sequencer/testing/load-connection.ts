/** One open HTTP connection that sends prepared requests: a load generator must cost less than its load. */
import { connect, type Socket } from "node:net";

interface PlainAnswer {
  readonly status: number;
  readonly body: string;
}

/** The bytes of a POST; a body other than bytes is sent as JSON. */
export function postBytes(path: string, body: object): Buffer {
  const isRaw = body instanceof Uint8Array;
  const bytes = isRaw ? body : Buffer.from(JSON.stringify(body));
  const type = isRaw ? "octet-stream" : "json";
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/${type}\r\n`;
  return Buffer.concat([Buffer.from(`${head}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

const HEAD_END = "\r\n\r\n";

export class LoadConnection {
  readonly #socket: Socket;
  #received = "";
  #waiting: { resolve: (answer: PlainAnswer) => void; reject: (error: Error) => void } | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    // A character is a byte.
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#settle();
    });
    const fail = (error: Error) => this.#waiting?.reject(error);
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("the sequencer closed a connection")));
  }

  static open(url: string): Promise<LoadConnection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) }, () =>
        resolve(new LoadConnection(socket)),
      );
      socket.once("error", reject);
    });
  }

  /** Sends a request; only one at a time. */
  send(request: Buffer): Promise<PlainAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  #settle(): void {
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0 || this.#waiting === null) return;
    const head = this.#received.slice(0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const bodyAt = end + HEAD_END.length;
    if (this.#received.length < bodyAt + length) return;
    const body = this.#received.slice(bodyAt, bodyAt + length);
    this.#received = this.#received.slice(bodyAt + length);
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve({ status: Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length)), body });
  }

  close(): void {
    this.#waiting = null;
    this.#socket.destroy();
  }
}
