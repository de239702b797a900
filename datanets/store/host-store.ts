/** Durable store of the host: cards, lists, pieces of rows, records, quotas. Rows' bytes lie in blob-files.ts. */
import { join } from "node:path";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { checkedJson } from "@openledger/foundation/store/checked-json";
import { CheckedLevel, type LevelDb, type LevelWrite } from "@openledger/foundation/store/checked-level";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import { datanetError } from "../datanet-errors.ts";
import type { SignedName } from "../records/display-name.ts";
import type { SignedRecord, VerifiedBody } from "../records/record.ts";
import { BlobFiles } from "./blob-files.ts";
import type { StoredCheck } from "./stored-check.ts";
import type { VerifiedRecord } from "./verified-records.ts";

/** A commit whose list the host has. */
export interface StoredCommit {
  /** 0x-hex of 32 bytes. */
  readonly rowsRoot: string;
  readonly rowCount: number;
  readonly contributorId: number;
  /** Place among all commits to the Datanet: it never changes, since the commit was final when the list came. */
  readonly commitIndex: number;
  readonly committedAtMs: number | null;
  /** Number of signed operations before it: tells who was first, across Datanets. */
  readonly opIndex: number;
  /** The blob of its list. */
  readonly list: string;
}

/** Rows of a commit that came in one request: `lengths[i]` bytes of row `from + i`, one after another in a blob. */
export interface StoredPiece {
  readonly from: number;
  readonly blob: string;
  readonly lengths: readonly number[];
}

export interface StoredVersionList {
  readonly rowsRoot: string;
  readonly rowCount: number;
  readonly list: string;
}

const digits = (value: number) => value.toString().padStart(10, "0");
const keys = {
  card: (datanetId: number, index: number) => `card/${digits(datanetId)}/${digits(index)}`,
  commit: (datanetId: number, root: string) => `commit/${digits(datanetId)}/${root}`,
  piece: (datanetId: number, root: string, from: number) =>
    `piece/${digits(datanetId)}/${root}/${digits(from)}`,
  version: (datanetId: number, root: string) => `version/${digits(datanetId)}/${root}`,
  record: (datanetId: number, index: number) => `record/${digits(datanetId)}/${digits(index)}`,
  verified: ({ datanetId, epoch, leafId, modelId }: VerifiedBody) =>
    `verified/${digits(datanetId)}/${digits(modelId)}/${digits(leafId)}/${digits(epoch ?? 0)}`,
  check: (datanetId: number) => `check/${digits(datanetId)}`,
  name: (leafId: number) => `name/${digits(leafId)}`,
  usage: (leafId: number, day: number) => `usage/${digits(leafId)}/${digits(day)}`,
};

const REMEDIES = {
  locked: "Stop that process, or give each host a folder of its own (DATANET_DATA_PATH).",
  corrupt: "Take the store from a copy, or begin with an empty folder and mirror another host into it.",
  failed: "Read the reason (a full disk, for example), mend it and start the host again.",
};

const put = (key: string, value: unknown): LevelWrite => ({ type: "put", key, value });

export interface Usage {
  readonly bytes: number;
  readonly records: number;
}

/** Amount that a leaf has stored on a day (UTC, counted from 1970), as of now. */
export interface UsageWrite {
  readonly leafId: number;
  readonly day: number;
  readonly usage: Usage;
}

/** Changes of one request's records in the store. */
interface RecordWrites {
  readonly records: readonly SignedRecord[];
  readonly verified: readonly VerifiedRecord[];
  readonly dropped: readonly VerifiedRecord[];
}

const putUsage = ({ day, leafId, usage }: UsageWrite) => put(keys.usage(leafId, day), usage);

/** Each write is durable when it resolves. All throw SRV_STORE_CORRUPT or SRV_STORE_FAILED if files or disk fail. */
export class HostStore {
  readonly blobs: BlobFiles;
  readonly #level: CheckedLevel;
  readonly #db: LevelDb;
  #blobBytes: number;

  private constructor(level: CheckedLevel, blobs: BlobFiles, blobBytes: number) {
    this.#level = level;
    this.#db = level.db;
    this.blobs = blobs;
    this.#blobBytes = blobBytes;
  }

  /** @throws SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, SRV_STORE_FAILED */
  static async open(
    folder: string,
    { chainId, rollupAddress }: StoreRollup,
    onFailure: (error: RollupError) => void,
  ): Promise<HostStore> {
    // Rows lie beside it by their hash: they are anybody's.
    const level = await CheckedLevel.open(join(folder, "store"), {
      identity: { kind: "datanet-host", rollup: { chainId, rollupAddress } },
      valueEncoding: checkedJson,
      remedies: REMEDIES,
      onFailure,
    });
    const blobs = new BlobFiles(join(folder, "rows"));
    try {
      return new HostStore(level, blobs, await blobs.open());
    } catch (cause) {
      await level.close();
      throw datanetError("SRV_STORE_FAILED", `cannot open the rows under ${folder}`, {
        data: { folder },
        cause,
      });
    }
  }

  /** Size of all blobs on disk, in bytes. */
  get blobBytes(): number {
    return this.#blobBytes;
  }

  async putBlob(bytes: Uint8Array): Promise<string> {
    try {
      const { isNew, name } = await this.blobs.put(bytes);
      if (isNew) this.#blobBytes += bytes.length;
      return name;
    } catch (cause) {
      throw this.#level.failed("write a file of", cause);
    }
  }

  /** @param index counts the cards of the Datanet as they came */
  addCard(datanetId: number, index: number, text: string): Promise<void> {
    return this.#level.write([put(keys.card(datanetId, index), text)]);
  }

  addCommit(datanetId: number, commit: StoredCommit, usage: UsageWrite): Promise<void> {
    return this.#level.write([put(keys.commit(datanetId, commit.rowsRoot), commit), putUsage(usage)]);
  }

  /** Stores the piece and counts it against its sender's quota, all or nothing. */
  addPiece(datanetId: number, rowsRoot: string, piece: StoredPiece, usage: UsageWrite): Promise<void> {
    return this.#level.write([put(keys.piece(datanetId, rowsRoot, piece.from), piece), putUsage(usage)]);
  }

  addVersion(datanetId: number, version: StoredVersionList, usage: UsageWrite): Promise<void> {
    return this.#level.write([put(keys.version(datanetId, version.rowsRoot), version), putUsage(usage)]);
  }

  /**
   * All or nothing.
   * @param index counts the records of the Datanet as they came: that of the first of `records`
   * @param verified each goes in the place of its leaf's earlier one about the same
   */
  addRecords(
    datanetId: number,
    index: number,
    { dropped, records, verified }: RecordWrites,
    usages: readonly UsageWrite[],
  ): Promise<void> {
    return this.#level.write([
      ...records.map((record, i) => put(keys.record(datanetId, index + i), record)),
      ...verified.map((record) => put(keys.verified(record.body), record)),
      ...dropped.map(({ body }): LevelWrite => ({ type: "del", key: keys.verified(body) })),
      ...usages.map(putUsage),
    ]);
  }

  /** Replaces the leaf's name. */
  putName(name: SignedName, usage: UsageWrite): Promise<void> {
    return this.#level.write([put(keys.name(name.body.leafId), name), putUsage(usage)]);
  }

  /** Yields the newest name of each leaf. */
  async *names(): AsyncGenerator<SignedName> {
    for await (const [, value] of this.#each("name")) yield value as SignedName;
  }

  /** Replaces the findings of a Datanet's last check. */
  putCheck(datanetId: number, check: StoredCheck): Promise<void> {
    return this.#level.write([put(keys.check(datanetId), check)]);
  }

  async check(datanetId: number): Promise<StoredCheck | null> {
    const found = await this.#level.read(this.#db.get(keys.check(datanetId)));
    return (found as StoredCheck | undefined) ?? null;
  }

  async usage(leafId: number, day: number): Promise<Usage> {
    const found = await this.#level.read(this.#db.get(keys.usage(leafId, day)));
    return (found as Usage | undefined) ?? { bytes: 0, records: 0 };
  }

  /** Lists every Datanet of which something is stored, ascending. */
  async datanetIds(): Promise<number[]> {
    const ids = new Set<number>();
    for await (const [key] of this.#each("card")) ids.add(Number(key.split("/")[1]));
    return [...ids].sort((a, b) => a - b);
  }

  /** Returns the cards in the order in which they came. */
  async cards(datanetId: number): Promise<string[]> {
    return this.#all<string>("card", datanetId);
  }

  async commits(datanetId: number): Promise<StoredCommit[]> {
    return this.#all<StoredCommit>("commit", datanetId);
  }

  async versions(datanetId: number): Promise<StoredVersionList[]> {
    return this.#all<StoredVersionList>("version", datanetId);
  }

  /** Ascending by `from`. */
  async pieces(datanetId: number, rowsRoot: string): Promise<StoredPiece[]> {
    return this.#all<StoredPiece>("piece", datanetId, `/${rowsRoot}`);
  }

  /** Yields the records in the order in which they came. */
  async *records(datanetId: number, from = 0): AsyncGenerator<SignedRecord> {
    const range = { gte: keys.record(datanetId, from), lt: keys.record(datanetId + 1, 0) };
    for await (const [, value] of this.#level.readEach(this.#db.iterator(range))) yield value as SignedRecord;
  }

  /** Ascending by model, leaf and epoch. */
  verified(datanetId: number): Promise<VerifiedRecord[]> {
    return this.#all<VerifiedRecord>("verified", datanetId);
  }

  close(): Promise<void> {
    return this.#level.close();
  }

  async #all<T>(kind: string, datanetId: number, more = ""): Promise<T[]> {
    const found: T[] = [];
    for await (const [, value] of this.#each(`${kind}/${digits(datanetId)}${more}`)) found.push(value as T);
    return found;
  }

  /** Keys below a prefix; "0" is what follows "/". */
  #each(prefix: string): AsyncGenerator<[string, unknown]> {
    const range = { gte: `${prefix}/`, lt: `${prefix}0` };
    return this.#level.readEach(this.#db.iterator(range)) as AsyncGenerator<[string, unknown]>;
  }
}
