/** Walk of an asker through every route of the servers of a private world, with values for each parameter that the routes name. */

import type { LedgerClient } from "@openledger/client/ledger-client";
import { signRequest } from "@openledger/datanets/records/signed-request";
import { isWhole } from "@openledger/foundation/testing/test-random";
import type { PrivateWorld, WalkedServer } from "./private-world.ts";
import type { RegisteredRoute } from "./registered-routes.ts";

export interface WalkedRequest {
  readonly server: string;
  /** Method and path with its parameters. */
  readonly route: string;
  readonly method: string;
  readonly path: string;
  /** Path, headers and body that the asker has sent. */
  readonly asked: string;
}

export interface WalkedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Time in which an answer begins, and in which it ends: a stream that does not is read for so long, in milliseconds. */
const [MAX_WAIT_MS, MAX_ANSWER_MS] = [60_000, 10_000];
const WITH_BODY = ["POST", "PUT", "PATCH", "DELETE"];
/** Rows of a version that are asked for by their places. */
const PLACES = ["0", "7"];

/** Texts that the asker knows of the private rows: the beginning of one. */
export interface Knowledge {
  readonly word: string;
  readonly beginning: string;
  /** SHA-256 in bodies of bytes; default: that of a row of theirs. */
  readonly digest?: string;
}

/**
 * Asks all servers for everything.
 * @param client signs; null: nobody
 * @param servers default: all
 */
export async function walk(
  world: PrivateWorld,
  {
    client,
    known,
    servers = world.servers,
  }: { client: LedgerClient | null; known: Knowledge; servers?: readonly WalkedServer[] },
  visit: (request: WalkedRequest, answer: WalkedAnswer) => void,
): Promise<void> {
  const sessions = new Map<string, string>();
  for (const server of servers)
    for (const route of server.routes)
      for (const { body, path } of requestsOf(world, server, route, known)) {
        const bytes = body === null ? null : Buffer.from(typeof body === "string" ? body : body);
        const headers: Record<string, string> = { ...server.headers };
        if (bytes !== null)
          headers["content-type"] =
            typeof body === "string" ? "application/json" : "application/octet-stream";
        if (client !== null && server.origin !== null) {
          const session = sessions.get(server.name) ?? (await sessionOf(server));
          sessions.set(server.name, session);
          headers["x-openledger-request"] = signed(client, { server, route, path, bytes, session });
        }
        const answer = await ask(`${server.url}${path}`, { method: route.method, headers, bytes });
        const asked = `${decodeURIComponent(path)} ${bytes?.toString() ?? ""}`;
        visit(
          { server: server.name, route: `${route.method} ${route.path}`, method: route.method, path, asked },
          answer,
        );
      }
}

async function sessionOf({ origin }: WalkedServer): Promise<string> {
  const answer = await fetch(`${origin}/v1/info`);
  return ((await answer.json()) as { session: string }).session;
}

function signed(
  { domain, l2Key, leafId }: LedgerClient,
  of: { server: WalkedServer; route: RegisteredRoute; path: string; bytes: Buffer | null; session: string },
): string {
  const { bytes, path, route, server, session } = of;
  const own = path.startsWith(server.signedFrom) ? path.slice(server.signedFrom.length) : path;
  return signRequest(
    domain,
    { origin: server.origin!, method: route.method, path: own, body: bytes },
    { leafId: leafId!, session, nowMs: Date.now(), lifeMs: 120_000, sign: (message) => l2Key!.sign(message) },
  );
}

async function ask(
  url: string,
  { bytes, headers, method }: { method: string; headers: Record<string, string>; bytes: Buffer | null },
): Promise<WalkedAnswer> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), MAX_WAIT_MS);
  const pieces: Uint8Array[] = [];
  try {
    const response = await fetch(url, {
      method,
      headers,
      redirect: "manual",
      signal: abort.signal,
      ...(bytes === null ? {} : { body: new Uint8Array(bytes) }),
    });
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), MAX_ANSWER_MS);
    try {
      for await (const piece of response.body ?? []) pieces.push(piece as Uint8Array);
    } catch {
      // What has come of a stream counts.
    }
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.concat(pieces),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** Requests to a route: one for each value of a parameter of its path, and of its query alone and together. */
function* requestsOf(
  world: PrivateWorld,
  server: WalkedServer,
  route: RegisteredRoute,
  known: Knowledge,
): Generator<{ path: string; body: string | Uint8Array | null }> {
  if (route.method === "OPTIONS" || route.method === "TRACE") return;
  const paths = pathsOf(world, server, route);
  // Of HEAD the headers are GET's: in the core for one path of each route.
  const isBrief = route.method === "HEAD" && !isWhole;
  for (const { id, path } of isBrief ? paths.slice(0, 1) : paths) {
    const values = route.queryNames.map(
      (name) => [name, queryValue(world, { id, known, name, route })] as const,
    );
    const of = (some: typeof values) =>
      some.length === 0
        ? ""
        : `?${some.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
    const queries = new Set(
      route.method === "HEAD" ? [""] : ["", ...values.map((one) => of([one])), of(values)],
    );
    for (const query of queries)
      for (const body of bodiesOf(world, { id, known, route })) yield { path: `${path}${query}`, body };
  }
}

function pathsOf(
  world: PrivateWorld,
  server: WalkedServer,
  { path }: RegisteredRoute,
): { id: number; path: string }[] {
  const ids = path.includes("/datanets/:id") ? world.datanetIds : [world.alice.leafId!];
  const all: { id: number; path: string }[] = [];
  for (const id of ids) {
    let paths = [path];
    for (const name of new Set([...path.matchAll(/:(\w+)|\*/g)].map(([whole, found]) => found ?? whole)))
      paths = paths.flatMap((one) =>
        pathValues(world, { id, name, path, server }).map((value) =>
          one.replace(name === "*" ? "*" : `:${name}`, value),
        ),
      );
    all.push(...paths.map((one) => ({ id, path: one })));
  }
  return all;
}

/** @throws Error for a parameter that has no values here: a new route brings them along */
function pathValues(
  world: PrivateWorld,
  { id, name, path, server }: { id: number; name: string; path: string; server: WalkedServer },
): readonly string[] {
  const unknown = "00".repeat(16);
  const values: Readonly<Record<string, readonly string[]>> = {
    id: path.includes("/datasets/")
      ? [world.datasetId]
      : path.includes("/jobs/")
        ? ["job-000000000000"]
        : path.includes("/webhooks/")
          ? [unknown]
          : [String(id)],
    root: path.includes("/versions/") ? [world.versionRoot] : [world.roots[id]!],
    digest: path.includes("/reports/") ? [world.reportDigest] : [world.digests[id]!],
    policy: [world.policies[id]!],
    model:
      server.name === "gateway"
        ? [`model-${Object.values(world.modelIds)[0]}`]
        : [String(world.modelIds[server.name] ?? Object.values(world.modelIds)[0])],
    row: PLACES,
    file: path.includes("/base/") ? ["tokenizer.json"] : [...world.files, "manifest.json"],
    form: ["adapter"],
    receipt: ["0x01"],
    "*": ["x"],
  };
  const found = values[name];
  if (found === undefined) throw new Error(`${path}: no values for the parameter ${name}`);
  return found;
}

/** @throws Error for a parameter that has no value here: a new route brings it along */
function queryValue(
  world: PrivateWorld,
  { id, known, name, route }: { id: number; name: string; route: RegisteredRoute; known: Knowledge },
): string {
  const isOfRoots = route.path.endsWith("/difference");
  const values: Readonly<Record<string, string>> = {
    text: `${known.word}*`,
    label: "good",
    contributor: String(world.alice.leafId),
    commit: world.roots[id]!,
    state: route.path.endsWith("/findings") ? "open" : "accepted",
    wellFormed: "true",
    fields: JSON.stringify([{ field: "kind", is: known.word }]),
    from: route.path.startsWith("/v1/group") ? `0x${"00".repeat(32)}` : "0",
    after: isOfRoots ? world.versionRoot : "0",
    before: world.versionRoot,
    limit: "10",
    unsent: world.digests[id]!,
    skipped: world.digests[id]!,
    tag: "short",
    field: "weather",
    access: "permissioned",
    row: world.digests[id]!,
    kind: "near-duplicate",
    model: String(Object.values(world.modelIds)[0]),
    version: "2",
    leaves: "3,4",
    session: `0x${"00".repeat(32)}`,
  };
  const found = values[name];
  if (found === undefined) throw new Error(`${route.path}: no value for the query's parameter ${name}`);
  return found;
}

function bodiesOf(
  world: PrivateWorld,
  { id, known, route: { method, path } }: { id: number; known: Knowledge; route: RegisteredRoute },
): readonly (string | Uint8Array | null)[] {
  if (!WITH_BODY.includes(method)) return [null];
  const modelId = Object.values(world.modelIds)[0]!;
  const own: Readonly<Record<string, object>> = {
    "POST /v1/datanets/:id/records": {
      records: [{ body: { kind: "label", datanetId: id, row: world.digests[id], label: "good" } }],
    },
    "POST /:model/v1/answers": { prompt: known.beginning },
    "POST /v1/forms": { baseId: null, datasetId: world.datasetId },
    "POST /v1/datasets": { kind: "datanet", hostUrl: world.host.url, datanetId: id, version: null },
    "POST /v1/chat/completions": {
      model: `model-${modelId}`,
      messages: [{ role: "user", content: known.beginning }],
    },
    "POST /v1/responses": { model: `model-${modelId}`, input: known.beginning },
  };
  const body = own[`${method} ${path}`];
  const digest = Buffer.from(known.digest ?? world.digests[id] ?? world.allDigests[0]!, "hex");
  return body === undefined ? ["{}", digest] : [JSON.stringify(body)];
}
