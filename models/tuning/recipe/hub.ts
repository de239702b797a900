/**
 * Models of a hub by their names, `owner/name` or `owner/name@revision`: the commit that a name means now, and the files of it
 * with their hashes. The layout is that of huggingface.co; HF_ENDPOINT names another hub of the same layout.
 */

import { textOfBytes } from "@openledger/foundation/utf8";
import { boundedBytes } from "@openledger/foundation/wire/bounded-body";
import { z } from "zod";
import type { FileSource } from "../../engine/files/byte-source.ts";
import { urlSource } from "../../engine/files/url-source.ts";
import { modelError } from "../../model-errors.ts";
import { parseHubName } from "./hub-name.ts";

const HUB = "https://huggingface.co";
const TIMEOUT_MS = 60_000;
/** Limit of one answer about a model. */
const MAX_ANSWER_BYTES = 4 * 2 ** 20;

const modelSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40,64}$/),
  gated: z.union([z.boolean(), z.string()]).optional(),
});
const treeSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.int().min(0),
    /** SHA-1 of git's blob. */
    oid: z.string(),
    /** Large files lie in another store, which knows them by SHA-256. */
    lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/) }).optional(),
  }),
);

export interface HubAccess {
  /** Address of the hub. */
  readonly hub?: string | undefined;
  /** Token of the hub, for models that it gives only to some; null = none. */
  readonly token?: string | null;
}

/** Hash that a file of a commit must have. */
export interface FileHash {
  readonly kind: "sha256" | "git";
  readonly hex: string;
}

/** The files of one commit. */
export interface HubModel {
  readonly name: string;
  readonly commit: string;
  readonly source: FileSource;
  readonly hashes: ReadonlyMap<string, FileHash>;
}

/** Address of the hub. */
export const hubOrigin = (hub = process.env.HF_ENDPOINT || HUB): string => hub.replace(/\/+$/, "");

/** Address below which a hub has a model. */
export const hubAddress = (name: string, hub?: string): string => `${hubOrigin(hub)}/${name}`;

/**
 * The commit and files that a name means now.
 * @throws RollupError MOD_SOURCE_UNREADABLE, whose message says what to do
 */
export async function findOnHub(text: string, { hub, token = null }: HubAccess = {}): Promise<HubModel> {
  const { name, revision } = parseHubName(text)!;
  const page = hubAddress(name, hub);
  const api = `${page.slice(0, -name.length)}api/models/${name}`;
  const model = await ask(`${api}/revision/${revision}`, modelSchema, { text, page, token });
  const tree = await ask(`${api}/tree/${model.sha}`, treeSchema, { text, page, token });
  const files = tree.filter(({ size, type }) => type === "file" && size > 0);
  const hashes = new Map(
    files.map(({ lfs, oid, path }): [string, FileHash] => [
      path,
      lfs === undefined ? { kind: "git", hex: oid } : { kind: "sha256", hex: lfs.oid },
    ]),
  );
  const commitFiles = urlSource(`${page}/resolve/${model.sha}`, token);
  const source: FileSource = {
    name: `${text} at ${page}`,
    open: async (file) => (hashes.has(file) ? commitFiles.open(file) : null),
  };
  if (model.gated !== undefined && model.gated !== false) await requireGiven(source, { text, page, token });
  return { name, commit: model.sha, source, hashes };
}

interface Asked {
  readonly text: string;
  readonly page: string;
  readonly token: string | null;
}

async function ask<T>(url: string, schema: z.ZodType<T>, asked: Asked): Promise<T> {
  const { page, text, token } = asked;
  const answer = await fetch(url, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: "manual",
  }).catch((cause: Error) => {
    throw refused(
      "unreachable",
      `${new URL(url).origin} cannot be reached: connect to the network, or name the folder of the model's files`,
      { cause },
    );
  });
  const movedTo = answer.headers.get("location");
  if (movedTo !== null) {
    await answer.body?.cancel();
    throw refused("moved", `${page} has another name now: use that of ${movedTo.slice(0, 200)}`);
  }
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
    await answer.body?.cancel();
    throw answer.status === 404 || token === null
      ? refused("unknown", `${page} is no model that everyone may read: check the name ${text}; ${PRIVATE}`)
      : refused("not-given", `the token in HF_TOKEN may not read ${page}: ask its owner for access`);
  }
  const bytes = answer.ok ? await boundedBytes(answer, MAX_ANSWER_BYTES).catch(() => null) : null;
  const parsed = schema.safeParse(bytes === null ? null : jsonOf(bytes));
  if (parsed.success) return parsed.data;
  throw refused("no-hub", `${url} answers ${answer.status} and not as a hub does: try again later`);
}

const PRIVATE = "for a private model set HF_TOKEN to a token that may read it";

/** A hub tells of gated models, but gives their files only to accounts that have accepted the terms. */
async function requireGiven(source: FileSource, { page, token }: Asked): Promise<void> {
  try {
    await (await source.open("config.json"))?.close();
  } catch (cause) {
    const set =
      token === null ? "set HF_TOKEN to a token of that account" : "check that HF_TOKEN is of that account";
    throw refused("gated", `${page} is gated: accept its terms there with an account, and ${set}`, { cause });
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOfBytes(bytes));
  } catch {
    return null;
  }
}

const refused = (reason: string, text: string, options: { readonly cause?: unknown } = {}) =>
  modelError("MOD_SOURCE_UNREADABLE", text, { data: { reason }, ...options });
