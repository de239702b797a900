/**
 * Reads blobs from an Ethereum beacon node, by the route that every node has had since the Fulu fork (`/eth/v1/beacon/blobs`),
 * and by the one before it (`blob_sidecars`). Ethereum's nodes keep a blob for 18 days. Anvil serves the first route, and has
 * numbers of blocks where others have slots. blob-finder.ts asks it as a provider.
 */

import { versionedHashOf } from "@openledger/circuits/blob/blob-bytes";
import { textOfBytes } from "@openledger/foundation/utf8";
import { type Hex, hexToBytes } from "viem";
import { z } from "zod";
import type { BlobProvider, FoundBytes } from "./blob-provider.ts";
import { type BlobProblem, type BlobRequest, shownUrl, type VersionedHash } from "./blob-source.ts";
import { boundedGet } from "./bounded-fetch.ts";

interface BeaconNodeOptions {
  readonly url: string;
  /** Timeout of one request in milliseconds; a blob takes up to six requests. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 20_000;
/** 72 blobs in a block as JSON, with their proofs. The fork of December 2025 allows nine, its successors 21. */
const MAX_ANSWER_BYTES = 24 << 20;
const MAX_FACTS_BYTES = 1 << 20;
/**
 * Blobs of one answer that are looked at: each that is not the one costs a commitment. Attack: a node that sends
 * junk.
 */
const MAX_CANDIDATES = 24;
/** Seconds per slot of every public chain, where the node does not name its own. */
const SECONDS_PER_SLOT = 12;

const hexBytes = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/)
  .transform((text) => text as Hex);
const blobHex = z
  .string()
  .length(2 + 2 * 131_072)
  .pipe(hexBytes);
const blobsSchema = z.object({ data: z.array(blobHex) });
const sidecarsSchema = z.object({
  data: z.array(z.object({ blob: blobHex, kzg_commitment: z.string().length(98).pipe(hexBytes) })),
});
const seconds = z
  .string()
  .regex(/^\d{1,12}$/)
  .transform(Number);
const genesisSchema = z.object({ data: z.object({ genesis_time: seconds }) });
const specSchema = z.object({ data: z.object({ SECONDS_PER_SLOT: seconds.refine((n) => n > 0) }) });

interface SlotTimes {
  readonly genesisSeconds: number;
  /** null: the node does not say. */
  readonly slotSeconds: number | null;
}

/** Result of a route: a value, or the problem. */
type Answer<T> =
  | { readonly value: T; readonly problem: null }
  | { readonly value: null; readonly problem: Omit<BlobProblem, "place"> };

export class BeaconNode implements BlobProvider {
  readonly place: string;
  readonly #url: string;
  readonly #timeoutMs: number;
  #times: SlotTimes | null = null;

  constructor({ timeoutMs = DEFAULT_TIMEOUT_MS, url }: BeaconNodeOptions) {
    this.#url = url.replace(/\/+$/, "");
    this.place = `beacon node ${shownUrl(url)}`;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Finds candidates for a blob. A block may have two names; both answers are taken, since a node that ignores
   * `versioned_hashes` has some block for either. The first name's come first.
   * @throws BRG_L1_* where the block's time cannot be read
   */
  async find(blobRequest: BlobRequest): Promise<FoundBytes> {
    const ids = await this.#blockIds(blobRequest);
    if (ids.problem !== null) return { problem: { place: this.place, ...ids.problem } };
    const candidates: Uint8Array[] = [];
    let last: Omit<BlobProblem, "place"> | null = null;
    for (const id of ids.value)
      for (const ask of [this.#blobs, this.#sidecars]) {
        const answer = await ask.call(this, id, blobRequest.versionedHash);
        if (answer.value !== null && answer.value.length > 0) {
          candidates.push(...answer.value);
          break;
        }
        // An "unreachable" may pass, so it says more than the "absent" of a route that an older or newer node does not
        // have.
        if (last?.kind !== "unreachable") last = answer.problem ?? ABSENT;
      }
    if (candidates.length > 0) return { candidates };
    return { problem: { place: this.place, ...(last ?? ABSENT) } };
  }

  async #blobs(id: string, hash: VersionedHash): Promise<Answer<Uint8Array[]>> {
    const path = `/eth/v1/beacon/blobs/${id}?versioned_hashes=${hash}`;
    const answer = await this.#ask(path, blobsSchema, MAX_ANSWER_BYTES);
    if (answer.value === null) return answer;
    return {
      value: answer.value.data.slice(0, MAX_CANDIDATES).map((blob) => hexToBytes(blob)),
      problem: null,
    };
  }

  async #sidecars(id: string, hash: VersionedHash): Promise<Answer<Uint8Array[]>> {
    const answer = await this.#ask(`/eth/v1/beacon/blob_sidecars/${id}`, sidecarsSchema, MAX_ANSWER_BYTES);
    if (answer.value === null) return answer;
    const named = answer.value.data.find(
      ({ kzg_commitment }) => versionedHashOf(hexToBytes(kzg_commitment)) === hash,
    );
    return { value: named === undefined ? [] : [hexToBytes(named.blob)], problem: null };
  }

  /** Names under which the node may have the block. @throws BRG_L1_* */
  async #blockIds({ blockNumber, blockTimeSeconds }: BlobRequest): Promise<Answer<string[]>> {
    const times = await this.#slotTimes();
    if (times.value === null) return times;
    const { genesisSeconds, slotSeconds } = times.value;
    const slot = Math.floor(
      ((await blockTimeSeconds()) - genesisSeconds) / (slotSeconds ?? SECONDS_PER_SLOT),
    );
    if (slot < 0)
      return { value: null, problem: { kind: "absent", why: "its chain is younger than the block" } };
    return { value: slotSeconds === null ? [`${blockNumber}`, `${slot}`] : [`${slot}`], problem: null };
  }

  async #slotTimes(): Promise<Answer<SlotTimes>> {
    if (this.#times !== null) return { value: this.#times, problem: null };
    const genesis = await this.#ask("/eth/v1/beacon/genesis", genesisSchema, MAX_FACTS_BYTES);
    if (genesis.value === null) return { value: null, problem: { ...genesis.problem, kind: "unreachable" } };
    const spec = await this.#ask("/eth/v1/config/spec", specSchema, MAX_FACTS_BYTES);
    if (spec.problem?.kind === "unreachable") return { value: null, problem: spec.problem };
    this.#times = {
      genesisSeconds: genesis.value.data.genesis_time,
      slotSeconds: spec.value?.data.SECONDS_PER_SLOT ?? null,
    };
    return { value: this.#times, problem: null };
  }

  async #ask<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    maxBytes: number,
  ): Promise<Answer<z.output<Schema>>> {
    const request = { accept: "application/json", maxBytes, timeoutMs: this.#timeoutMs };
    const { body, problem, status } = await boundedGet(`${this.#url}${path}`, request);
    const fail = (kind: BlobProblem["kind"], why: string) => ({ value: null, problem: { kind, why } });
    if (problem !== null) return fail("unreachable", problem);
    if (status === 404 || status === 410) return fail("absent", `it answers ${status}`);
    // Nodes that have too few columns to put a blob together answer with various statuses.
    if (status !== 200) return fail("unreachable", `it answers ${status}`);
    try {
      return { value: schema.parse(JSON.parse(textOfBytes(body))), problem: null };
    } catch {
      return fail("wrong", "it answers in another form than the Beacon API's");
    }
  }
}

const ABSENT = { kind: "absent", why: "it does not have it" } as const;
