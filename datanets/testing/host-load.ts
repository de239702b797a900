/**
 * People who bring rows and labels to hosts on one database, each request again until it is acknowledged, as clients do; and what
 * of it the database has afterwards. For tests and drills of what may fail.
 */
import { setTimeout as delay } from "node:timers/promises";
import { askHost } from "@openledger/client/datanets/host-request";
import { receivedSchema } from "@openledger/client/datanets/host-schemas";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { Queries } from "@openledger/foundation/database/queries";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests, encodeRows } from "../rows/row-wire.ts";

export interface HostLoadOptions {
  readonly datanetId: number;
  /** Hosts on one database. What one refuses is brought to the next. */
  readonly hostUrls: readonly string[];
  /** Has committed the rows. */
  readonly contributor: LedgerClient;
  readonly labellers: readonly LedgerClient[];
  /** Label that everybody gives. */
  readonly label: string;
  readonly rowsRoot: bigint;
  readonly rows: readonly Uint8Array[];
}

interface Counted {
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
}

export interface HostLoadAudit {
  readonly rows: Counted;
  readonly labels: Counted;
  /** Counts of the database that contradict each other. */
  readonly problems: readonly string[];
}

const SENDERS = 3;
const ROWS_A_PIECE = 10;
const LABELS_A_PIECE = 10;
const RETRY_MS = 100;
/** Refusals that time mends; others are problems. */
const PASSING = [
  "CLI_UNREACHABLE",
  "SRV_DATABASE_UNREACHABLE",
  "SRV_DISK_FULL",
  "SRV_OVERLOADED",
  "SRV_STOPPING",
  "DNT_SESSION_OTHER",
];

export class HostLoad {
  /** Places of the rows, and ids of the labels, that a host has acknowledged. */
  readonly rows = new Set<number>();
  readonly labels = new Set<string>();
  /** Refusals by code. */
  readonly refusals = new Map<string, number>();
  /** Refusals that no fault explains. */
  readonly problems: string[] = [];
  /** Pause of each sender between two requests, in ms. */
  paceMs = 50;
  readonly #options: HostLoadOptions;
  readonly #digests: readonly string[];
  readonly #commit: string;
  #nextRow = 0;
  #turn = 0;
  #isStopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: HostLoadOptions) {
    this.#options = options;
    this.#digests = options.rows.map(sha256Hex);
    this.#commit = `/v1/datanets/${options.datanetId}/commits/${hex32(options.rowsRoot)}`;
  }

  /** All that was acknowledged. */
  get count(): number {
    return this.rows.size + this.labels.size;
  }

  /** Brings the list of the rows, then all the rest meanwhile. */
  async start(): Promise<void> {
    await this.#bring((hostUrl) => this.#put(hostUrl, "list", encodeDigests(this.#digests)));
    const { labellers } = this.#options;
    this.#running = Promise.all([
      ...Array.from({ length: SENDERS }, () => this.#sendRows()),
      ...labellers.map((labeller) => this.#sendLabels(labeller)),
    ]);
  }

  /** Ends once each request has its answer. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #sendRows(): Promise<void> {
    const { rows } = this.#options;
    while (!this.#isStopped && this.#nextRow < rows.length) {
      const from = this.#nextRow;
      const piece = rows.slice(from, from + ROWS_A_PIECE);
      this.#nextRow += piece.length;
      const isTaken = await this.#bring((hostUrl) =>
        this.#put(hostUrl, `rows?from=${from}`, encodeRows(piece)),
      );
      if (isTaken !== null) for (let i = 0; i < piece.length; i++) this.rows.add(from + i);
      await delay(this.paceMs);
    }
  }

  async #sendLabels(labeller: LedgerClient): Promise<void> {
    const { datanetId, label } = this.#options;
    const done = new Set<number>();
    while (!this.#isStopped) {
      const next = [...this.rows].filter((location) => !done.has(location)).slice(0, LABELS_A_PIECE);
      for (const location of next) done.add(location);
      const records = next.map((location) => ({
        ...({ kind: "label", row: this.#digests[location]!, label, note: "" } as const),
        flags: [],
      }));
      // The same time, so that a repeated record is the same one.
      const atMs = Date.now();
      const results =
        records.length === 0
          ? []
          : await this.#bring((hostUrl) => sayRecords(labeller, { hostUrl, datanetId, records, atMs }));
      for (const { error, id } of results ?? []) {
        if (error === null) this.labels.add(id!);
        else this.problems.push(`a label was refused: ${error.code} ${error.message}`);
      }
      await delay(this.paceMs);
    }
  }

  #put(hostUrl: string, path: string, body: Uint8Array) {
    const call = { method: "PUT", path: `${this.#commit}/${path}`, body, isSigned: true } as const;
    return askHost(this.#options.contributor, hostUrl, call, receivedSchema);
  }

  /** Asks one host after another until one has acknowledged it. @returns null where it is a problem, or the load has stopped */
  async #bring<T>(ask: (hostUrl: string) => Promise<T>): Promise<T | null> {
    const { hostUrls } = this.#options;
    for (;;) {
      try {
        return await ask(hostUrls[this.#turn++ % hostUrls.length]!);
      } catch (error) {
        const code = isRollupError(error) ? error.code : "OTHER";
        this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
        if (!PASSING.includes(code)) {
          this.problems.push(`${code}: ${(error as Error).message}`);
          return null;
        }
        if (this.#isStopped) return null;
        await delay(RETRY_MS);
      }
    }
  }

  /** Compares what was acknowledged with what is there. @param queries of the hosts' part of the database */
  async audit({ query }: Queries): Promise<HostLoadAudit> {
    const { datanetId } = this.#options;
    const rows = await query<{ digest: string; count: number }>(
      `select encode(rows.digest, 'hex') as digest, count(*)::int as count from rows join contents using (digest)
        where datanet_id = $1 and sha256(contents.bytes) = rows.digest group by 1`,
      [datanetId],
    );
    const labels = await query<{ ids: string[]; count: number }>(
      `select array_agg(id) as ids, count(*)::int as count from records where datanet_id = $1 and kind = 'label'
        group by row_number, leaf_id`,
      [datanetId],
    );
    const rowsThere = new Set(rows.map(({ digest }) => digest));
    const labelsThere = new Set(labels.flatMap(({ ids }) => ids));
    const sum = (counts: readonly { count: number }[]) =>
      counts.reduce((all, { count }) => all + count - 1, 0);
    return {
      rows: {
        acknowledged: this.rows.size,
        lost: [...this.rows].filter((location) => !rowsThere.has(this.#digests[location]!)).length,
        doubled: sum(rows),
      },
      labels: {
        acknowledged: this.labels.size,
        lost: [...this.labels].filter((id) => !labelsThere.has(id)).length,
        doubled: sum(labels),
      },
      problems: [...this.problems, ...(await contradictions({ query }, datanetId))],
    };
  }
}

/** Counts that are kept beside what they count: something that was stored twice, or half, shows in them. */
const COUNTS = {
  "rows of the Datanet": [
    "select row_count from datanets where id = $1",
    "select count(*) from rows where datanet_id = $1",
  ],
  "records of the Datanet": [
    "select record_count from datanets where id = $1",
    "select count(*) from records where datanet_id = $1",
  ],
  "rows received": [
    "select sum(received_count) from commits where datanet_id = $1",
    "select sum(upper(run) - lower(run)) from commits, unnest(received) as run where datanet_id = $1",
  ],
  "rows that count for their commits": [
    "select sum(own_count) from commits where datanet_id = $1",
    "select count(*) from rows where datanet_id = $1",
  ],
  "words of rows": [
    "select described_count from datanets where id = $1",
    "select count(*) from row_words where datanet_id = $1",
  ],
  "bytes of the Datanet": [
    "select stored_bytes from datanets where id = $1",
    `select (select sum(bytes) from rows where datanet_id = $1) + (select sum(octet_length(list)) from commits where datanet_id = $1)`,
  ],
  "bytes of quotas": [
    "select sum(bytes) from usage where $1::int is not null",
    "select stored_bytes from datanets where id = $1",
  ],
  "records of quotas": [
    "select sum(records) from usage where $1::int is not null",
    "select record_count from datanets where id = $1",
  ],
  "labels of rows": [
    "select sum(label_count) from rows where datanet_id = $1",
    "select count(*) from labels where datanet_id = $1 and not is_own",
  ],
  "contributors' labels of rows": [
    "select count(*) from rows where datanet_id = $1 and label is not null",
    "select count(*) from labels where datanet_id = $1 and is_own",
  ],
  "labels as records": [
    "select count(*) from records where datanet_id = $1 and kind = 'label'",
    "select count(*) from labels where datanet_id = $1",
  ],
} as const;

async function contradictions({ query }: Queries, datanetId: number): Promise<string[]> {
  const found: string[] = [];
  for (const [what, [counted, there]] of Object.entries(COUNTS)) {
    const [row] = await query<{ counted: string; there: string }>(
      `select coalesce((${counted}), 0)::text as counted, coalesce((${there}), 0)::text as there`,
      [datanetId],
    );
    if (row!.counted !== row!.there) found.push(`${what}: ${row!.counted} counted, ${row!.there} there`);
  }
  return found;
}
