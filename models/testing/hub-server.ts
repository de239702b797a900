/** A hub on this machine with the layout of huggingface.co, for tests: one model, its commit, a redirect to its store, and faults. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export interface HubFaults {
  /** Commit's name by revision, beside main; each is of the same files. */
  revisions?: Readonly<Record<string, string>>;
  /** Token without which files are not given: the model is gated. */
  token?: string;
  /** File with a wrong byte. */
  wrongByteOf?: string;
  /** File that the tree names and the store does not have. */
  lostFile?: string;
  /** Number of large answers that end in their middle, by file. */
  cutsOf?: Record<string, number>;
  /** Byte from which the weights are not answered at all. */
  hangsAt?: number;
}

/** Bytes below which git itself holds a file, and names no SHA-256. */
const MIN_LFS_BYTES = 50_000;
/** Answers that are cut: chunks of a copy, and no heads of files. */
const MIN_CUT_BYTES = 2 ** 20;

export async function startHub(name: string, folder: string, faults: HubFaults = {}) {
  const files = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
  const commit = createHash("sha1").update(name).digest("hex");
  const api = `/api/models/${name}`;
  const asked: { readonly path: string; readonly bytes: number }[] = [];
  const tree = [...files].map(([path, bytes]) => ({
    type: "file",
    path,
    size: bytes.length,
    oid: createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex"),
    ...(bytes.length < MIN_LFS_BYTES ? {} : { lfs: { oid: sha256(bytes), size: bytes.length } }),
  }));
  const server = createServer((request, answer) => {
    const path = request.url!;
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const [from, to] = [Number(range?.[1] ?? 0), Number(range?.[2] ?? 0)];
    asked.push({ path, bytes: range === null ? 0 : to + 1 - from });
    const isInput = faults.token === undefined || request.headers.authorization === `Bearer ${faults.token}`;
    const json = (value: unknown) =>
      answer.setHeader("content-type", "application/json").end(JSON.stringify(value));
    if (path.startsWith("/api/models/someone/renamed/"))
      return answer.writeHead(307, { location: "/api/models/someone/other-name" }).end();
    const revision = path.startsWith(`${api}/revision/`) ? path.split("/").at(-1)! : null;
    const named = revision === "main" ? commit : (faults.revisions?.[revision ?? ""] ?? null);
    if (named !== null) return json({ id: name, sha: named, gated: faults.token ? "auto" : false });
    // What a hub says of a revision that is not there.
    if (revision !== null && path.startsWith(`/api/models/${name}/`)) return answer.writeHead(404).end();
    const commits = [commit, ...Object.values(faults.revisions ?? {})];
    const own = commits.find((one) => path.split("/").includes(one)) ?? commit;
    if (path === `${api}/tree/${own}`) return json(tree);
    if (path.startsWith("/api/")) return answer.writeHead(401).end();
    const file = path.split("/").at(-1)!;
    if (path === `/${name}/resolve/${own}/${file}`)
      return isInput
        ? answer.writeHead(302, { location: `/cdn/${own}/${file}` }).end()
        : answer.writeHead(401).end();
    const bytes = files.get(file);
    if (path !== `/cdn/${own}/${file}` || bytes === undefined || file === faults.lostFile || range === null)
      return answer.writeHead(404).end();
    if (file === "model.safetensors" && to >= (faults.hangsAt ?? Number.POSITIVE_INFINITY)) return answer;
    const part = Buffer.from(bytes.subarray(from, to + 1));
    // The head of the weights stays right: they are opened before they are copied.
    if (file === faults.wrongByteOf && to === bytes.length - 1) part[part.length - 1]! ^= 1;
    answer.writeHead(206, {
      "content-range": `bytes ${from}-${to}/${bytes.length}`,
      "content-length": part.length,
      etag: `"${sha256(bytes)}"`,
    });
    return send(answer, part, () => part.length >= MIN_CUT_BYTES && takeOne(faults.cutsOf, file));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    hub: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    commit,
    asked,
    faults,
    /** Bytes of a file that the store was asked for since the last call. */
    bytesAskedOf(file: string): number {
      const sum = asked
        .filter(({ path }) => path === `/cdn/${commit}/${file}`)
        .reduce((all, { bytes }) => all + bytes, 0);
      asked.length = 0;
      return sum;
    },
    close() {
      server.closeAllConnections();
      return new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function takeOne(counts: Record<string, number> | undefined, file: string): boolean {
  if ((counts?.[file] ?? 0) === 0) return false;
  counts![file]! -= 1;
  return true;
}

function send(answer: ServerResponse, part: Buffer, isCut: () => boolean): ServerResponse {
  if (!isCut()) return answer.end(part);
  answer.write(part.subarray(0, part.length / 2), () => answer.destroy());
  return answer;
}
