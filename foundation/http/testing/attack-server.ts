/**
 * Attacks that a stranger tries first, against any server of the project: each server's tests run them on the
 * real thing.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

interface ServerPaths {
  /** Path of a route that takes JSON. */
  readonly post?: string;
  readonly metrics?: string;
}

/** Idle connections of the attack: more than the share of one address of any server here. */
const IDLE_CONNECTIONS = 520;

/** @returns what went through, in words; nothing where the server is protected */
export async function attackServer(url: string, { metrics, post }: ServerPaths): Promise<string[]> {
  const { host, port } = new URL(url);
  const found: string[] = [];
  const ask = (
    line: string,
    lines: readonly string[] = [],
    body: string | Uint8Array = "",
    from = "127.0.0.1",
  ) => answerTo(Number(port), from, [`${line} HTTP/1.1`, "connection: close", ...lines], body);
  const refuses = async (what: string, statuses: readonly number[], answer: Promise<string>) => {
    const text = await answer;
    const status = Number(text.split(" ")[1]);
    if (!statuses.includes(status)) found.push(`${what}: ${status}`);
    if (!/^content-security-policy: .*default-src 'none'.*frame-ancestors 'none'/m.test(text))
      found.push(`${what}: without a policy`);
    if (!/^x-content-type-options: nosniff/m.test(text)) found.push(`${what}: without nosniff`);
    if (!/"error":\{"(code|message)":/.test(text)) found.push(`${what}: not in the server's form`);
  };
  await refuses("a malformed path", [400], ask("GET /%", [`host: ${host}`]));
  await refuses(
    "a path with a long name",
    [400, 404, 414],
    ask(`GET /v1/${"x".repeat(2_000)}`, [`host: ${host}`]),
  );
  await refuses("an unknown route", [400, 404], ask("GET /none-of-these", [`host: ${host}`]));
  await refuses(
    "another name (DNS rebinding)",
    [400],
    ask("GET /health", [`host: attacker.example:${port}`]),
  );
  await refuses("no HTTP", [400], ask("rubbish"));
  if (post !== undefined) {
    const body = Buffer.from('{"model": "\xff"}', "latin1");
    const lines = [`host: ${host}`, "content-type: application/json", `content-length: ${body.length}`];
    await refuses("bytes that are no UTF-8", [400], ask(`POST ${post}`, lines, body));
  }
  if (metrics !== undefined) {
    const local = await ask(`GET ${metrics}`, [`host: ${host}`]);
    if (!local.startsWith("HTTP/1.1 200")) found.push("metrics are not served to this machine");
    const forwarded = [`host: ${host}`, "x-forwarded-for: 203.0.113.1"];
    await refuses("metrics through a proxy", [400, 404], ask(`GET ${metrics}`, forwarded));
  }
  const idle: Socket[] = [];
  try {
    for (let i = 0; i < IDLE_CONNECTIONS; i++) idle.push(await open(Number(port), "127.0.0.1"));
    const isBounded = await settled(() => idle.some(({ closed }) => closed));
    if (!isBounded) found.push(`one address has ${idle.length} idle connections`);
    const other = await ask("GET /none-of-these", [`host: ${host}`], "", "127.0.0.2");
    if (other === "") found.push("idle connections of one address shut out another");
  } finally {
    for (const socket of idle) socket.destroy();
  }
  return found;
}

async function settled(isSo: () => boolean): Promise<boolean> {
  for (let i = 0; i < 100 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  return isSo();
}

async function open(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  // A refused connection may be reset before it is used.
  await Promise.race([
    once(socket, "connect").catch(() => {}),
    new Promise((end) => socket.once("close", end)),
  ]);
  socket.on("error", () => {});
  socket.resume();
  return socket;
}

async function answerTo(
  port: number,
  from: string,
  lines: readonly string[],
  body: string | Uint8Array,
): Promise<string> {
  const socket = await open(port, from);
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes;
  });
  const ended = socket.closed ? undefined : new Promise((end) => socket.once("close", end));
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  socket.write(body);
  await ended;
  return text;
}
