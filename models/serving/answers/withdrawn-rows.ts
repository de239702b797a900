/**
 * Rows of served models that their contributors have withdrawn, as the Datanets' hosts show it: servers publish and say them no more.
 * answer-models.ts asks here before it gives a row, a file of rows, or an answer of rows.
 */
import { readFile } from "node:fs/promises";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { datanetOfRow, rowOwners } from "@openledger/attribution/model/payee-table";
import { type RecipeBase, versionsOf } from "@openledger/attribution/model/recipe-fields";
import type { HostAccess } from "@openledger/client/datanets/host-request";
import { listWithdrawals } from "@openledger/client/datanets/withdrawals";
import { processErrors } from "@openledger/foundation/error-table";
import type { HttpErrors } from "@openledger/foundation/http/http-errors";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Secret } from "@openledger/foundation/secret";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { z } from "zod";
import { type Citation, parseCited } from "../../tuning/retrieval/citations.ts";
import type { NearQuestion } from "../../tuning/retrieval/nearest-questions.ts";
import type { RowLines } from "./row-lines.ts";

/** Time that a host has for one answer, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
const EVERY_MS = 60_000;
const FORMAT = "openledger-withdrawn-rows-1";

const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  rows: z.array(
    z.strictObject({
      datanetId: z.int().min(0),
      digest: z.string().regex(/^[0-9a-f]{64}$/),
      contributorId: z.int().min(0),
    }),
  ),
});
type WithdrawnRow = z.output<typeof fileSchema>["rows"][number];

interface WithdrawnRowsOptions {
  /** Hosts that are asked; none: nothing is known. */
  readonly hosts: readonly string[];
  readonly sequencerUrl: string;
  /** Token of the sequencer operator's own servers; absent for others. */
  readonly serverToken: Secret<string> | undefined;
  readonly domain: bigint;
  /** File of what is known, for a start while no host answers. */
  readonly path: string;
  readonly everyMs?: number | undefined;
  readonly log: HttpErrors["log"];
}

const nameOf = ({ contributorId, datanetId, digest }: WithdrawnRow) =>
  `${datanetId}/${contributorId}/${digest}`;

/** Withdrawn rows of all Datanets whose rows a server's models have. */
export class WithdrawnRows {
  readonly #options: WithdrawnRowsOptions;
  readonly #reader: HostAccess;
  readonly #rows = new Map<string, WithdrawnRow>();
  readonly #datanetIds = new Set<number>();
  /** Times until which hosts that did not answer are not asked again: many models wait for a silent one once. */
  readonly #silentUntilMs = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(options: WithdrawnRowsOptions) {
    this.#options = options;
    const { domain, sequencerUrl, serverToken } = options;
    const limits = { requestTimeoutMs: REQUEST_TIMEOUT_MS, serverToken };
    this.#reader = { sequencerUrl, domain, ...limits, l2Key: null, leafId: null };
  }

  /** Reads what an earlier run knew. @throws SRV_STORE_CORRUPT */
  static async open(options: WithdrawnRowsOptions): Promise<WithdrawnRows> {
    const withdrawn = new WithdrawnRows(options);
    for (const row of await readKnown(options.path)) withdrawn.#rows.set(nameOf(row), row);
    withdrawn.#plan();
    return withdrawn;
  }

  /** Number of withdrawn rows that are known: grows with each. */
  get count(): number {
    return this.#rows.size;
  }

  has(row: WithdrawnRow): boolean {
    return this.#rows.has(nameOf(row));
  }

  /** Asks for the withdrawals of these Datanets, now and from now on. */
  async follow(datanetIds: readonly number[]): Promise<void> {
    for (const id of datanetIds) this.#datanetIds.add(id);
    await this.look(datanetIds);
  }

  /** Asks the hosts. What one cannot say stays as it was. */
  async look(datanetIds: Iterable<number> = this.#datanetIds): Promise<void> {
    const before = this.count;
    for (const datanetId of datanetIds)
      for (const hostUrl of this.#options.hosts) {
        if ((this.#silentUntilMs.get(hostUrl) ?? 0) > performance.now()) continue;
        try {
          // Attack: a host lists what no contributor has signed, so that a model falls silent. Such records are dropped.
          const { withdrawals } = await listWithdrawals(this.#reader, { hostUrl, datanetId });
          for (const { contributorId, digest } of withdrawals) {
            const row = { datanetId, digest, contributorId };
            this.#rows.set(nameOf(row), row);
          }
        } catch (error) {
          if (!isRollupError(error)) throw error;
          if (error.code === "CLI_UNREACHABLE")
            this.#silentUntilMs.set(hostUrl, performance.now() + this.#everyMs);
          if (error.code !== "DNT_NOT_HOSTED")
            this.#options.log.warn?.(
              { err: error, datanetId, hostUrl },
              "withdrawn rows of a model are not known now",
            );
        }
      }
    if (this.count > before)
      await writeFileWhole(
        this.#options.path,
        JSON.stringify({ format: FORMAT, rows: [...this.#rows.values()] }),
      );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  get #everyMs(): number {
    return this.#options.everyMs ?? EVERY_MS;
  }

  #plan(): void {
    if (this.#isClosed || this.#options.hosts.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.look()
        .catch((err: unknown) => this.#options.log.warn?.({ err }, "withdrawn rows are not written down"))
        .finally(() => this.#plan());
    }, this.#everyMs);
    this.#timer.unref();
  }
}

async function readKnown(path: string): Promise<readonly WithdrawnRow[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  try {
    return fileSchema.parse(JSON.parse(text)).rows;
  } catch (cause) {
    throw processErrors.raise(
      "SRV_STORE_CORRUPT",
      `${path} is not as a server wrote it: remove it, and the hosts are asked again`,
      {
        data: { reason: path, remedy: "remove the file" },
        cause,
      },
    );
  }
}

/** Withdrawn rows among those of one model. */
export class ModelWithdrawals {
  readonly #withdrawn: WithdrawnRows;
  readonly #model: {
    readonly recipe: RecipeBase;
    readonly payees: Parameters<typeof rowOwners>[0];
    readonly rows: RowLines | null;
  };
  readonly #versionIds: readonly number[];
  #owners: Int32Array | null = null;
  #looked: { readonly count: number; readonly withdrawn: Promise<string | null> } = {
    count: 0,
    withdrawn: Promise.resolve(null),
  };

  constructor(
    withdrawn: WithdrawnRows,
    model: { recipe: RecipeBase; payees: Parameters<typeof rowOwners>[0]; rows: RowLines | null },
  ) {
    this.#withdrawn = withdrawn;
    this.#model = model;
    this.#versionIds = versionsOf(model.recipe).map(({ id }) => id);
  }

  /** Requires that a published row is not withdrawn. @throws ATT_ROW_WITHDRAWN */
  requireRow(position: number, content: Uint8Array): void {
    const digest = this.#withdrawnLine(position, content);
    if (digest !== null) throw rowWithdrawn(digest);
  }

  /** Requires that an answer cites no withdrawn row: its text is the row's, or written from it. @throws ATT_ROW_WITHDRAWN */
  requireAnswer(answer: string): void {
    if (this.#withdrawn.count > 0) this.requireCited(parseCited(answer)?.citations ?? []);
  }

  /** @throws ATT_ROW_WITHDRAWN */
  requireCited(citations: readonly Pick<Citation, "contributorId" | "digest">[]): void {
    for (const citation of citations) if (this.#hasCited(citation)) throw rowWithdrawn(citation.digest);
  }

  /** A refusal that shows the nearest questions, without those of withdrawn rows; any other error as it is. */
  withoutWithdrawn(error: unknown): unknown {
    if (!isRollupError(error, "ATT_NO_ROW_ANSWERS") || this.#withdrawn.count === 0) return error;
    const { nearest } = error.data as { readonly nearest: readonly NearQuestion[] };
    return attributionError("ATT_NO_ROW_ANSWERS", error.message, {
      data: { nearest: nearest.filter((one) => !this.#hasCited(one)) },
    });
  }

  /** Requires that none of the published rows is withdrawn: the file has them all. @throws ATT_ROW_WITHDRAWN */
  async requireRows(): Promise<void> {
    const { count } = this.#withdrawn;
    if (this.#looked.count !== count) this.#looked = { count, withdrawn: this.#firstWithdrawn() };
    const digest = await this.#looked.withdrawn;
    if (digest !== null) throw rowWithdrawn(digest);
  }

  /** Requires that an index of rows, which has their texts, has none that is withdrawn. @throws ATT_ROW_WITHDRAWN */
  requireIndex(bytes: Uint8Array): void {
    if (this.#withdrawn.count === 0) return;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    for (const [, digest, contributorId] of text.matchAll(INDEXED_ROW))
      if (this.#hasCited({ digest: digest!, contributorId: Number(contributorId) }))
        throw rowWithdrawn(digest!);
  }

  #hasCited({ contributorId, digest }: Pick<Citation, "contributorId" | "digest">): boolean {
    return this.#versionIds.some((datanetId) => this.#withdrawn.has({ datanetId, contributorId, digest }));
  }

  #withdrawnLine(position: number, content: Uint8Array): string | null {
    if (this.#withdrawn.count === 0) return null;
    const { payees } = this.#model;
    this.#owners ??= rowOwners(payees);
    const digest = bytesToHex(sha256(content));
    const { contributorId } = payees[this.#owners[position]!]!;
    const { datanetId } = datanetOfRow(this.#model, position);
    return this.#withdrawn.has({ datanetId, contributorId, digest }) ? digest : null;
  }

  async #firstWithdrawn(): Promise<string | null> {
    const { rows } = this.#model;
    for (let position = 0; ; position += 1) {
      const content = await rows?.read(position);
      if (content == null) return null;
      const digest = this.#withdrawnLine(position, content);
      if (digest !== null) return digest;
    }
  }
}

/** Name and contributor of a row in an index of rows (tuning/retrieval/row-index.ts). */
const INDEXED_ROW = /"digest":"([0-9a-f]{64})","contributorId":(\d{1,8})/g;

const rowWithdrawn = (digest: string) =>
  attributionError(
    "ATT_ROW_WITHDRAWN",
    `row ${digest} was withdrawn by its contributor: this server neither publishes nor says it any more, and nothing has to be paid`,
    { data: { digest } },
  );
