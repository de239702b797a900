import { contributionRoot, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { type NamedCard, readCard } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import { recordId, type SignedRecord } from "../records/record.ts";
import { RecordState } from "../records/record-state.ts";
import { DIGEST_BYTES, decodeVersion, type ListedRow, rowHashesOf, versionRowsOf } from "../rows/row-wire.ts";
import { BlobCache } from "./blob-cache.ts";
import { sha256Hex } from "./blob-files.ts";
import type { HostStore, StoredPiece, StoredVersionList, UsageWrite } from "./host-store.ts";
import { HostedCommit } from "./hosted-commit.ts";
import type { HostCommit } from "./ledger-view.ts";
import { LoadProgress } from "./load-progress.ts";
import type { RecordOffer } from "./record-offer.ts";
import { RowTable } from "./row-table.ts";
import { isVerifiedRecord, type VerifiedRecord, VerifiedRecords } from "./verified-records.ts";

/** Rows are read back in turns, so that requests are answered meanwhile. */
const ROWS_A_TURN = 50;

type Account = (newBytes: number) => Promise<UsageWrite>;

/** Everything that the host has of one Datanet. Writes come one after another; each is durable before it counts. */
export class HostedDatanet {
  readonly id: number;
  readonly rows = new RowTable();
  readonly recordState = new RecordState();
  readonly verified = new VerifiedRecords();
  readonly loading: LoadProgress;
  readonly #store: HostStore;
  readonly #domain: bigint;
  readonly #blobs: BlobCache;
  readonly #cards = new Map<string, NamedCard>();
  #lastCard: NamedCard | null = null;
  #cardCount = 0;
  readonly #commits: HostedCommit[] = [];
  readonly #commitByRoot = new Map<string, HostedCommit>();
  readonly #versions = new Map<string, StoredVersionList>();
  readonly #recordIds = new Set<string>();
  /** Rows that records speak of, by number: all others wait for labels. */
  readonly #touched = new Map<number, string>();
  #revision = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(id: number, store: HostStore, domain: bigint) {
    this.id = id;
    this.#store = store;
    this.#domain = domain;
    this.#blobs = new BlobCache(store.blobs);
    this.loading = new LoadProgress(id);
  }

  /** Loads what is small: cards, lists of commits and of versions. @throws SRV_STORE_CORRUPT */
  async open(): Promise<void> {
    for (const text of await this.#store.cards(this.id)) this.#keepCard(readCard(text));
    for (const facts of await this.#store.commits(this.id)) this.#keepCommit(new HostedCommit(facts));
    for (const version of await this.#store.versions(this.id)) this.#versions.set(version.rowsRoot, version);
    this.loading.begin(
      "rows",
      this.#commits.reduce((sum, { facts }) => sum + facts.rowCount, 0),
    );
  }

  /** Places of rows, then records; after `open`. @throws SRV_STORE_CORRUPT */
  async loadRows(signal: AbortSignal): Promise<void> {
    for (const commit of this.#commits) {
      for (const piece of await this.#store.pieces(this.id, commit.facts.rowsRoot)) {
        if (signal.aborted) return;
        await this.#placePiece(commit, piece);
        this.loading.doneCount = this.rows.size;
        await new Promise(setImmediate);
      }
    }
    for await (const record of this.#store.records(this.id)) {
      if (signal.aborted) return;
      this.#keepRecord(record);
    }
    for (const record of await this.#store.verified(this.id)) this.#keepVerified(record);
    this.#revision += 1;
    this.loading.begin("words", this.rows.size);
  }

  /** Words and labels, of all rows that are there; those that come meanwhile are taken along. @throws SRV_STORE_CORRUPT */
  async loadWords(signal: AbortSignal): Promise<void> {
    while (this.rows.describedCount < this.rows.size) {
      if (signal.aborted) return;
      this.rows.describe(this.#lastCard!.card, await this.content(this.rows.describedCount));
      this.loading.doneCount = this.rows.describedCount;
      if (this.loading.doneCount % ROWS_A_TURN === 0) await new Promise(setImmediate);
    }
    this.#revision += 1;
    this.loading.end();
  }

  /** Revision of the Datanet. It grows with each write; results of an older revision may be stale. */
  get revision(): number {
    return this.#revision;
  }

  /** Returns the card of a policy word; null if the host does not have it. */
  card(policy: bigint): NamedCard | null {
    return this.#cards.get(hex32(policy)) ?? null;
  }

  /** Returns the newest card, which holds until the ledger's present one is here. @throws DNT_NOT_HOSTED */
  requireCard(policy: bigint): NamedCard {
    const card = this.card(policy) ?? this.#lastCard;
    if (card === null)
      throw datanetError("DNT_NOT_HOSTED", `this host has no card of Datanet ${this.id}`, {
        data: { datanetId: this.id },
      });
    return card;
  }

  addCard(card: NamedCard): Promise<void> {
    return this.#inTurn(async () => {
      if (card.policy === this.#lastCard?.policy) return;
      await this.#store.addCard(this.id, this.#cardCount, card.text);
      this.#keepCard(card);
      this.#revision += 1;
    });
  }

  get commits(): readonly HostedCommit[] {
    return this.#commits;
  }

  commit(rowsRoot: string): HostedCommit | undefined {
    return this.#commitByRoot.get(rowsRoot);
  }

  /** @throws DNT_LIST_MISSING */
  requireCommit(rowsRoot: string): HostedCommit {
    const commit = this.commit(rowsRoot);
    if (commit === undefined)
      throw datanetError("DNT_LIST_MISSING", `this host has no list of the commit ${rowsRoot}`, {
        data: { rowsRoot },
      });
    return commit;
  }

  /** Takes the list behind a final commit. @throws DNT_LIST_MISMATCH */
  addList(
    digests: Uint8Array,
    { commit, commitIndex }: { readonly commit: HostCommit; readonly commitIndex: number },
    account: Account,
  ): Promise<HostedCommit> {
    return this.#inTurn(async () => {
      const rowsRoot = hex32(commit.rowsRoot);
      const known = this.commit(rowsRoot);
      if (known !== undefined) return known;
      const rowCount = digests.length / DIGEST_BYTES;
      if (rowCount !== commit.rowCount || contributionRoot(rowHashesOf(digests)) !== commit.rowsRoot)
        throw mismatch(`the list of ${rowCount} rows is not that of the commit`, rowsRoot);
      const { committedAtMs, contributorId, opIndex } = commit;
      const usage = await account(digests.length);
      const list = await this.#store.putBlob(digests);
      const facts = { rowsRoot, rowCount, contributorId, commitIndex, committedAtMs, opIndex, list };
      await this.#store.addCommit(this.id, facts, usage);
      this.#revision += 1;
      return this.#keepCommit(new HostedCommit(facts));
    });
  }

  /** SHA-256 of each row of a commit, 32 bytes each. */
  list(commit: HostedCommit): Promise<Uint8Array> {
    return this.#blobs.get(commit.facts.list);
  }

  /**
   * Takes rows of a commit, from place `from` on, each checked against the list; those that are here are passed over.
   * Durable when it resolves. @returns how many are new. @throws DNT_LIST_MISMATCH, SRV_STORE_FAILED
   */
  addRows(
    commit: HostedCommit,
    from: number,
    rows: readonly Uint8Array[],
    account: Account,
  ): Promise<number> {
    return this.#inTurn(async () => {
      const list = await this.list(commit);
      for (const [i, row] of rows.entries()) {
        const at = (from + i) * DIGEST_BYTES;
        const digest = Buffer.from(list.subarray(at, at + DIGEST_BYTES)).toString("hex");
        if (row.length === 0 || sha256Hex(row) !== digest)
          throw datanetError("DNT_LIST_MISMATCH", `row ${from + i} is not the one that was committed`, {
            data: { reason: "row-mismatch", index: from + i, digest },
          });
      }
      let newCount = 0;
      for (let first = 0; first < rows.length; ) {
        if (commit.has(from + first)) {
          first += 1;
          continue;
        }
        let end = first + 1;
        while (end < rows.length && !commit.has(from + end)) end += 1;
        newCount += await this.#takePiece(commit, from + first, rows.slice(first, end), account);
        first = end;
      }
      return newCount;
    });
  }

  /** Rows of a commit as they lie here, from `from` on and without a gap, up to `maxBytes`, but one at least. */
  async readRows(commit: HostedCommit, from: number, maxBytes: number): Promise<Uint8Array[]> {
    const rows: Uint8Array[] = [];
    let bytes = 0;
    for (let index = from; ; ) {
      const piece = commit.pieceOf(index);
      if (piece === undefined) return rows;
      const blob = await this.#blobs.get(piece.blob);
      let offset = 0;
      for (const [i, length] of piece.lengths.entries()) {
        if (piece.from + i === index) {
          if (rows.length > 0 && bytes + length > maxBytes) return rows;
          rows.push(blob.subarray(offset, offset + length));
          bytes += length;
          index += 1;
        }
        offset += length;
      }
    }
  }

  /** Returns a row's number. @throws DNT_NOT_HOSTED */
  requireRow(digest: string): number {
    const row = this.rows.find(digest);
    if (row === undefined)
      throw datanetError("DNT_NOT_HOSTED", `this host has no row ${digest}`, { data: { digest } });
    return row;
  }

  /** Returns the contributor who committed a row first; null if the host does not have the row. */
  contributorOf(digest: string): number | null {
    const row = this.rows.find(digest);
    return row === undefined ? null : this.#commits[this.rows.commitOf(row)]!.facts.contributorId;
  }

  async content(row: number): Promise<Uint8Array> {
    const { blob, length, offset } = this.rows.place(row);
    return (await this.#blobs.get(blob)).subarray(offset, offset + length);
  }

  get versions(): readonly StoredVersionList[] {
    return [...this.#versions.values()];
  }

  /** Takes the list behind a version's root. @throws DNT_LIST_MISMATCH */
  addVersion(list: Uint8Array, rowsRoot: bigint, account: Account): Promise<void> {
    return this.#inTurn(async () => {
      const root = hex32(rowsRoot);
      if (this.#versions.has(root)) return;
      const rows = decodeVersion(list);
      if (versionRowsRoot(versionRowsOf(rows)) !== rowsRoot)
        throw mismatch(`the list of ${rows.length} rows is not that of the version`, root);
      const usage = await account(list.length);
      const stored = { rowsRoot: root, rowCount: rows.length, list: await this.#store.putBlob(list) };
      await this.#store.addVersion(this.id, stored, usage);
      this.#versions.set(root, stored);
      this.#revision += 1;
    });
  }

  /** Returns the list behind a version's root, as it travels. @throws DNT_NOT_HOSTED */
  versionList(rowsRoot: string): Promise<Uint8Array> {
    const version = this.#versions.get(rowsRoot);
    if (version === undefined)
      throw datanetError("DNT_NOT_HOSTED", `this host has no version of root ${rowsRoot}`, {
        data: { rowsRoot },
      });
    return this.#blobs.get(version.list);
  }

  async version(rowsRoot: string): Promise<ListedRow[]> {
    return decodeVersion(await this.versionList(rowsRoot));
  }

  get recordCount(): number {
    return this.#recordIds.size;
  }

  hasRecord(id: string): boolean {
    return this.#recordIds.has(id) || this.verified.has(id);
  }

  /**
   * Takes records whose signatures are checked, one after another; they hold, together, from when it resolves. What each may
   * say is checked here, so that two at once do not both pass.
   * @returns for each why it is not taken, or null
   */
  addRecords(offers: readonly RecordOffer[]): Promise<(RollupError | null)[]> {
    return this.#inTurn(async () => {
      const first = this.#recordIds.size;
      const records: SignedRecord[] = [];
      const verified = new Set<VerifiedRecord>();
      const dropped = new Set<VerifiedRecord>();
      const usages = new Map<number, UsageWrite>();
      const results: (RollupError | null)[] = [];
      for (const { account, check, record } of offers) {
        try {
          if (!this.hasRecord(recordId(this.#domain, record.body))) {
            check();
            const usage = await account();
            usages.set(usage.leafId, usage);
            if (isVerifiedRecord(record)) {
              verified.add(record);
              for (const one of this.#keepVerified(record)) if (!verified.delete(one)) dropped.add(one);
            } else {
              this.#keepRecord(record);
              records.push(record);
            }
          }
          results.push(null);
        } catch (error) {
          if (!isRollupError(error)) throw error;
          results.push(error);
        }
      }
      // If this fails the host ends, and its memory with it.
      const writes = { records, verified: [...verified], dropped: [...dropped] };
      if (usages.size > 0) await this.#store.addRecords(this.id, first, writes, [...usages.values()]);
      this.#revision += 1;
      return results;
    });
  }

  /** Records in the order in which they came. */
  records(from: number): AsyncGenerator<SignedRecord> {
    return this.#store.records(this.id, from);
  }

  /** Digests of rows with records, by the row's number. */
  get touched(): ReadonlyMap<number, string> {
    return this.#touched;
  }

  #keepCard(card: NamedCard): void {
    this.#cards.set(hex32(card.policy), card);
    this.#lastCard = card;
    this.#cardCount += 1;
  }

  #keepCommit(commit: HostedCommit): HostedCommit {
    this.#commits.push(commit);
    this.#commitByRoot.set(commit.facts.rowsRoot, commit);
    return commit;
  }

  async #takePiece(
    commit: HostedCommit,
    from: number,
    rows: readonly Uint8Array[],
    account: Account,
  ): Promise<number> {
    const content = Buffer.concat(rows);
    const usage = await account(content.length);
    const blob = await this.#store.putBlob(content);
    const piece = { from, blob, lengths: rows.map(({ length }) => length) };
    await this.#store.addPiece(this.id, commit.facts.rowsRoot, piece, usage);
    await this.#placePiece(commit, piece, rows);
    this.#revision += 1;
    return rows.length;
  }

  /** @param contents of the piece's rows; default: their words are read back later */
  async #placePiece(
    commit: HostedCommit,
    piece: StoredPiece,
    contents?: readonly Uint8Array[],
  ): Promise<void> {
    const list = await this.list(commit);
    commit.add(piece);
    const number = this.#commits.indexOf(commit);
    const rows = piece.lengths.map((length, i) => {
      const at = (piece.from + i) * DIGEST_BYTES;
      const digest = list.subarray(at, at + DIGEST_BYTES);
      return { digest, length, commit: number, index: piece.from + i };
    });
    // A row that was committed twice counts for the one who committed it first, whichever came to this host first.
    for (const { digest, index } of rows) {
      const known = this.rows.find(digest);
      if (known === undefined) continue;
      const held = this.#commits[this.rows.commitOf(known)]!;
      if (commit.facts.commitIndex < held.facts.commitIndex) this.rows.move(known, number, index);
    }
    const isDescribed = this.rows.describedCount === this.rows.size;
    const fresh = this.rows.add(piece.blob, rows);
    // While words are read back, these wait for their turn. Asked and done in one step, since reading back goes on beside.
    if (contents !== undefined && isDescribed)
      for (const i of fresh) this.rows.describe(this.#lastCard!.card, contents[i]!);
  }

  #keepRecord(record: SignedRecord): void {
    const id = recordId(this.#domain, record.body);
    this.#recordIds.add(id);
    this.recordState.add(id, record.body);
    // A model may have suggested something for every row: that begins none of them.
    if (!("row" in record.body) || record.body.kind === "suggestion") return;
    const row = this.rows.find(record.body.row);
    if (row !== undefined) this.#touched.set(row, record.body.row);
  }

  /** @returns records that are dropped for it */
  #keepVerified(record: VerifiedRecord): VerifiedRecord[] {
    const id = recordId(this.#domain, record.body);
    this.recordState.add(id, record.body);
    return this.verified.add(id, record);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

const mismatch = (why: string, rowsRoot: string) =>
  datanetError("DNT_LIST_MISMATCH", why, { data: { rowsRoot } });
