/** An attacker as a process of its own: `attacker.ts '{"seconds", "sequencer", "models", "host", "session"}'`. Ends by itself. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

export interface AttackOrder {
  readonly seconds: number;
  readonly sequencer: string;
  readonly models: string;
  readonly host: string;
  /** Of the Datanet host: forged signatures name it. */
  readonly session: string;
}

/** Each kind has an address of its own, so that one does not use up another's share. */
const ADDRESS = {
  idle: "127.0.0.2",
  trickle: "127.0.0.3",
  uploads: "127.0.0.4",
  feeds: "127.0.0.5",
  prompts: "127.0.0.6",
} as const;
type Kind = keyof typeof ADDRESS;
const COUNTS = { idle: 300, trickle: 300, uploads: 24, feeds: 1_300 };
const UPLOAD_BYTES = 30_000_000;
const MOST_TURNS = 20;
const [BURST, BURST_PAUSE_MS] = [25, 20];

const order = JSON.parse(process.argv[2]!) as AttackOrder;
const targets = [order.sequencer, order.models, order.host];
const endsAtMs = performance.now() + 1_000 * order.seconds;
const sent: Record<Kind, number> = { idle: 0, trickle: 0, uploads: 0, feeds: 0, prompts: 0 };
const answered: Record<string, number> = {};
setTimeout(() => {
  console.log(JSON.stringify({ sent, answered }));
  process.exit(0);
}, 1_000 * order.seconds);

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const isOn = () => performance.now() < endsAtMs;

function open(kind: Kind, url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), localAddress: ADDRESS[kind] });
  socket.on("error", () => {});
  socket.once("data", (data) => {
    const status = `${kind} ${/^HTTP\/1.1 (\d+)/.exec(String(data))?.[1] ?? "?"}`;
    answered[status] = (answered[status] ?? 0) + 1;
  });
  sent[kind] += 1;
  return socket;
}

const head = (method: string, url: string, path: string, lines: readonly string[]) =>
  `${[`${method} ${path} HTTP/1.1`, `host: ${new URL(url).host}`, ...lines].join("\r\n")}\r\n\r\n`;

/** Some at a time: a burst that the kernel's backlog drops attacks nobody. */
async function each<T>(count: number, make: () => T): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) {
    made.push(make());
    if (made.length % BURST === 0) await pause(BURST_PAUSE_MS);
  }
  return made;
}

async function idle(): Promise<void> {
  await Promise.all(targets.map((url) => each(COUNTS.idle, () => open("idle", url))));
}

async function trickle(): Promise<void> {
  const [type, length] = ["content-type: application/json", "content-length: 60000"];
  const paths = ["/v1/operations", "/v1/completions", "/v1/datanets/3/records"];
  const opened = targets.map((url, at) =>
    each(COUNTS.trickle, () => {
      const socket = open("trickle", url);
      socket.write(head("POST", url, paths[at]!, [type, length]));
      return socket;
    }),
  );
  const sockets = (await Promise.all(opened)).flat();
  while (isOn()) {
    for (const socket of sockets) if (socket.writable) socket.write("[");
    await pause(2_000);
  }
}

/** Half of them without a signature, half with one that is forged and only the body shows it. */
async function uploads(): Promise<void> {
  const body = randomBytes(UPLOAD_BYTES);
  const root = `0x${"3".repeat(64)}`;
  const point = `0x${"1".repeat(64)}`;
  const upload = (isForged: boolean) =>
    new Promise<void>((resolve) => {
      const proof = {
        ...{ leafId: 3, session: order.session, nonce: randomBytes(16).toString("hex") },
        ...{ expiresAtMs: Date.now() + 60_000, signature: { r8x: point, r8y: point, s: point } },
      };
      const socket = open("uploads", order.host);
      socket.once("close", () => resolve());
      const lines = ["content-type: application/octet-stream", `content-length: ${UPLOAD_BYTES}`];
      const signed = isForged ? [`x-openledger-request: ${JSON.stringify(proof)}`] : [];
      socket.write(head("PUT", order.host, `/v1/datanets/3/commits/${root}/list`, [...lines, ...signed]));
      socket.write(body, () => setTimeout(() => socket.destroy(), 1_000));
    });
  for (let turn = 0; isOn() && turn < MOST_TURNS; turn++) {
    await Promise.all(Array.from({ length: COUNTS.uploads }, (_, i) => upload(i % 2 === 1)));
    await pause(5_000);
  }
}

async function feeds(): Promise<void> {
  const key = randomBytes(16).toString("base64");
  const lines = ["connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13"];
  const asked = head("GET", order.sequencer, "/v1/feed", [...lines, `sec-websocket-key: ${key}`]);
  await each(COUNTS.feeds, () => open("feeds", order.sequencer).write(asked));
}

/** Of four megabytes, of one word, of as many bytes as are encoded, and many short ones with keys that are invented. */
async function prompts(): Promise<void> {
  const ask = (path: string, body: object) =>
    new Promise<void>((resolve) => {
      const text = JSON.stringify({ model: "base", max_tokens: 64, ...body });
      const socket = open("prompts", order.models);
      socket.once("close", () => resolve());
      const lines = [
        "content-type: application/json",
        `authorization: Bearer ${randomBytes(8).toString("hex")}`,
      ];
      socket.write(
        head("POST", order.models, path, [...lines, "connection: close", `content-length: ${text.length}`]) +
          text,
      );
    });
  const word = (bytes: number) => "the".repeat(bytes / 3);
  const completion = (bytes: number) => ask("/v1/completions", { prompt: word(bytes) });
  const chat = (bytes: number) =>
    ask("/v1/chat/completions", { messages: [{ role: "user", content: word(bytes) }] });
  for (let turn = 0; isOn() && turn < MOST_TURNS; turn++)
    await Promise.all([
      ...[4_000_000, 400_000, 30_000, 30_000, 8_000, 8_000].map(completion),
      ...[400_000, 30_000, 8_000].map(chat),
      ...Array.from({ length: 60 }, () => completion(30)),
      pause(1_000),
    ]);
}

void idle();
void feeds();
void trickle();
void uploads();
void prompts();
