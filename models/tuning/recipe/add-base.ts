/**
 * Adds a published base to this machine's list: fetches it from a folder, address or hub, checks it, and compares its logits
 * with a self-test. `openledger models base --add` and the factory's list use the copy.
 */
import { mkdir, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { OnProgress } from "@openledger/attribution/progress";
import { whileLocked } from "@openledger/foundation/file-lock";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { computeLogits, readTokens } from "../../engine/architecture/transformer.ts";
import { type FileSource, readWhole } from "../../engine/files/byte-source.ts";
import { folderSource } from "../../engine/files/folder-source.ts";
import { loadModel, openModel } from "../../engine/files/load-model.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { openTokenizer } from "../../engine/tokens/tokenizer.ts";
import { modelError } from "../../model-errors.ts";
import { baseNameAt, baseSourceAt, isAddress } from "../base/base-address.ts";
import { baseFileNames, MARK_FILES, MAX_BASE_BYTES } from "./base-files.ts";
import { copyFiles } from "./copy-base.ts";
import { type FileHash, findOnHub, type HubAccess } from "./hub.ts";
import { parseHubName } from "./hub-name.ts";

/** Says where a base in the list was fetched. */
const ORIGIN = "base-origin.json";
const FOLDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/;
const CARD_FILES = ["README.md", "LICENSE"] as const;
/** Limit of a model card. */
const MAX_CARD_BYTES = 2 ** 20;
const SELF_TEST = "self-test.json";
const MAX_SELF_TEST_BYTES = 64 * 2 ** 20;
/** Tokens of a self-test that this software writes. */
const TEST_TOKENS = 16;
/** Tolerance as a part of the largest logit: bfloat16 of another engine differs by about 2^-8. */
const TOLERANCE = 0.02;

/** Logits after the last of `tokens`, one for each token of the vocabulary, for a comparison with another engine. */
const selfTestSchema = z.strictObject({
  tokens: z.array(z.int().min(0)).min(1).max(1_024),
  logits: z.array(z.number()).min(1),
});

/** Disk and memory that a base takes, before its weights are fetched. */
export interface BasePlan {
  readonly name: string;
  /** Commit of a hub's model; null for folders and addresses. */
  readonly commit: string | null;
  /** Licence that the card names; null if it names none. */
  readonly licence: string | null;
  readonly family: string;
  readonly parameterCount: number;
  /** Bytes of all files: to be fetched, and of the disk. */
  readonly sizeBytes: number;
  readonly freeBytes: number;
  /** Memory of its weights in 32 bits; a tuning needs more, for its rows. */
  readonly memoryBytes: number;
}

export interface AddedBase {
  readonly name: string;
  readonly folder: string;
  /** Commit of a hub's model; null for folders and addresses. */
  readonly commit: string | null;
  /** Licence that the card names; null if it names none. */
  readonly licence: string | null;
  readonly family: string;
  readonly parameterCount: number;
  readonly sizeBytes: number;
  /** Result of the self-test: the largest difference from the stored logits, or null if none were stored. */
  readonly largestLogitError: number | null;
}

interface PlannedBase {
  readonly plan: BasePlan;
  /** Folder that it will have. */
  readonly folder: string;
  /** Place as its folder's record names it. */
  readonly origin: string;
  readonly source: FileSource;
  readonly names: readonly string[];
  readonly hashes: ReadonlyMap<string, FileHash>;
}

/**
 * Tells what a base takes. Reads its shape, tokenizer and card, and the heads of its weights: a base that cannot be used is
 * refused before gigabytes are fetched.
 *
 * @param place a folder, an address, or `owner/name` of a hub, with `@revision` if another than main is meant
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_CONFIG_UNSUPPORTED, MOD_FILE_INVALID, MOD_TOO_LARGE, MOD_INPUT_INVALID where
 *   `bases` has one of that name
 */
export async function planBase(address: string, bases: string, access: HubAccess = {}): Promise<BasePlan> {
  return (await preparePlan(address, bases, access)).plan;
}

async function preparePlan(address: string, bases: string, access: HubAccess): Promise<PlannedBase> {
  const { folder, hubName, name, origin } = await addressOf(address, bases);
  await requireNew(folder, name);
  const found = hubName === null ? null : await findOnHub(address, access);
  const source = found?.source ?? baseSourceAt(address);
  const opened = await openModel(source);
  await opened.close();
  const { layout, shape } = opened;
  await openTokenizer(source, shape.vocabularySize);
  const names = [...(await baseFileNames(source)), ...MARK_FILES, ...CARD_FILES, SELF_TEST];
  const plan: BasePlan = {
    name,
    commit: found?.commit ?? null,
    licence: await licenceOf(source),
    family: shape.family,
    parameterCount: layout.floatCount,
    sizeBytes: await bytesOf(source, names),
    freeBytes: await freeBytesAt(resolve(bases)),
    memoryBytes: 4 * layout.floatCount,
  };
  requireRoom(plan);
  return { plan, folder, origin, source, names, hashes: found?.hashes ?? new Map() };
}

/** @throws RollupError MOD_INPUT_INVALID */
async function requireNew(folder: string, name: string): Promise<void> {
  if (FOLDER_NAME.test(name) && (await readdir(folder).catch(() => null)) === null) return;
  throw modelError("MOD_INPUT_INVALID", `${folder} exists or is no name of a folder: remove or rename it`, {
    data: { field: "place", folder },
  });
}

/**
 * Folder of a base that `addBase` has put there from this place; null if it has not.
 * @throws RollupError MOD_INPUT_INVALID where the folder is another's
 */
export async function addedFolder(address: string, bases: string): Promise<string | null> {
  const { folder, name, origin } = await addressOf(address, bases);
  const record = await readFile(join(folder, ORIGIN), "utf8").catch(() => null);
  if (record !== null && (JSON.parse(record) as { origin?: unknown }).origin === origin) return folder;
  await requireNew(folder, name);
  return null;
}

async function addressOf(address: string, bases: string) {
  const hubName = await hubNameOf(address);
  const own = isAddress(address) ? address : resolve(address);
  const name = hubName?.split("/")[1] ?? baseNameAt(own);
  return { folder: join(bases, name), hubName, name, origin: hubName === null ? own : address };
}

/** The hub's name that a place is; null where it is an address, or a folder that exists. */
async function hubNameOf(address: string): Promise<string | null> {
  const parsed = isAddress(address) ? null : parseHubName(address);
  return parsed === null || (await readdir(address).catch(() => null)) !== null ? null : parsed.name;
}

/** Files at a folder, an address or a hub's name. @throws RollupError MOD_SOURCE_UNREADABLE */
export async function sourceAt(address: string, access: HubAccess = {}): Promise<FileSource> {
  const isOnHub = (await hubNameOf(address)) !== null;
  return isOnHub ? (await findOnHub(address, access)).source : baseSourceAt(address);
}

async function bytesOf(source: FileSource, names: readonly string[]): Promise<number> {
  let sum = 0;
  for (const name of names) {
    const file = await source.open(name);
    sum += file?.byteLength ?? 0;
    await file?.close();
  }
  return sum;
}

/** Free bytes of the disk on which a folder lies, or will lie. */
async function freeBytesAt(folder: string): Promise<number> {
  const stats = await statfs(folder).catch(() => null);
  return stats === null ? freeBytesAt(dirname(folder)) : stats.bavail * stats.bsize;
}

/** @throws RollupError MOD_TOO_LARGE */
function requireRoom({ freeBytes, memoryBytes, name, sizeBytes }: BasePlan): void {
  const limits = [
    ["bytes of files", sizeBytes, MAX_BASE_BYTES],
    ["bytes of the disk", sizeBytes, freeBytes],
    ["bytes of memory", memoryBytes, totalmem()],
  ] as const;
  for (const [what, needed, max] of limits)
    if (needed > max)
      throw modelError("MOD_TOO_LARGE", `${name} takes ${needed} ${what}, and there are ${max}`, {
        data: { what, needed, max },
      });
}

export interface AddOptions extends HubAccess {
  readonly kernels: KernelChoice;
  /** Called before anything is copied. */
  readonly onPlan?: (plan: BasePlan) => void;
  readonly onProgress?: OnProgress;
}

/**
 * Copies a base into a folder below `bases`, once its shape and tokenizer were checked, and compares its logits. A copy that was
 * cut is continued by the next call; nothing is left of a base that is refused. Stage "copy", in bytes.
 *
 * @param place as of `planBase`
 * @throws RollupError of `planBase`; MOD_FILE_INVALID also where bytes differ from the hub's hashes, or logits from the
 *   stored ones
 */
export async function addBase(address: string, bases: string, options: AddOptions): Promise<AddedBase> {
  const { kernels, onPlan, onProgress } = options;
  const { folder, hashes, names, origin, plan, source } = await preparePlan(address, bases, options);
  onPlan?.(plan);
  const { commit, family, licence, name, parameterCount } = plan;
  const part = `${folder}.part`;
  await mkdir(bases, { recursive: true });
  return whileLocked(
    `${folder}.lock.part`,
    () => {},
    async () => {
      await requireNew(folder, name);
      try {
        const sizeBytes = await copyFiles({ source, names, hashes, part, onProgress });
        const largestLogitError = await testLogits(folderSource(part), part, kernels);
        await writeFile(join(part, ORIGIN), JSON.stringify({ origin, commit }));
        await rename(part, folder);
        return { name, folder, commit, licence, family, parameterCount, sizeBytes, largestLogitError };
      } catch (error) {
        if (!isContinued(error)) await rm(part, { recursive: true, force: true });
        throw error;
      }
    },
  );
}

/** A copy that was cut, or one of whose files has to be fetched again. */
const isContinued = (error: unknown): boolean =>
  isRollupError(error, "MOD_SOURCE_UNREADABLE") ||
  (isRollupError(error, "MOD_FILE_INVALID") &&
    (error.data as { reason?: unknown }).reason === "bytes-differ");

/** The licence that a model's card names: `license` of its front matter, else the first line of LICENSE. */
export async function licenceOf(source: FileSource): Promise<string | null> {
  const [card, licence] = await Promise.all(
    CARD_FILES.map(async (file) => {
      const bytes = await readWhole(source, file, MAX_CARD_BYTES).catch(() => null);
      return bytes === null ? "" : new TextDecoder().decode(bytes);
    }),
  );
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card!)?.[1] ?? "";
  const named =
    /^license(?:_name)?:[ \t]*["']?([^"'\r\n]+)/m.exec(front)?.[1] ?? licence!.trim().split("\n")[0]!;
  return named.trim().slice(0, 100) || null;
}

/** Compares with the stored logits; if there are none, stores our own for the next copy. */
async function testLogits(source: FileSource, folder: string, kernels: KernelChoice): Promise<number | null> {
  const stored = await readWhole(source, SELF_TEST, MAX_SELF_TEST_BYTES);
  const opened = await openModel(source);
  try {
    const { vocabularySize } = opened.shape;
    const test = stored === null ? null : parseSelfTest(stored, vocabularySize);
    const tokens =
      test?.tokens ?? Array.from({ length: TEST_TOKENS }, (_, i) => (i * 7_919 + 1) % vocabularySize);
    const { model } = await loadModel(opened, { kernels, maxRows: tokens.length, isTraining: false });
    readTokens(model, tokens);
    const logits = computeLogits(model, tokens.length - 1, 1).subarray(0, vocabularySize);
    const largest = logits.reduce((max, logit) => Math.max(max, Math.abs(logit)), 0);
    if (!Number.isFinite(largest))
      throw selfTestFailed("logits are no numbers", { largest: String(largest) });
    if (test === null) {
      await writeFile(join(folder, SELF_TEST), JSON.stringify({ tokens, logits: [...logits] }));
      return null;
    }
    const error = logits.reduce((max, logit, i) => Math.max(max, Math.abs(logit - test.logits[i]!)), 0);
    if (error > TOLERANCE * largest)
      throw selfTestFailed(`logits differ by ${error.toFixed(3)} from the stored ones`, { error, largest });
    return error;
  } finally {
    await opened.close();
  }
}

function parseSelfTest(bytes: Uint8Array, vocabularySize: number) {
  let json: unknown = null;
  try {
    json = JSON.parse(textOfBytes(bytes));
  } catch {
    // Refused below.
  }
  const parsed = selfTestSchema.safeParse(json);
  if (!parsed.success || parsed.data.logits.length !== vocabularySize)
    throw selfTestFailed(`it must have tokens, and ${vocabularySize} logits`, {});
  return parsed.data;
}

const selfTestFailed = (reason: string, data: object) =>
  modelError("MOD_FILE_INVALID", `${SELF_TEST}: ${reason}`, { data: { reason: "self-test", ...data } });
