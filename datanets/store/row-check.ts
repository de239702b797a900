/** Check of a Datanet's rows (datanets/cleaning): one at a time for the whole host, in a thread; the result is stored. */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { TaskPool } from "@openledger/foundation/threads/task-pool";
import type { Card } from "../card/card.ts";
import { CHECK_STEPS } from "../cleaning/check-rows.ts";
import { type Finding, makeFinding } from "../cleaning/finding.ts";
import type { ForeignRow, RowToCheck } from "../cleaning/row-to-check.ts";
import { datanetError } from "../datanet-errors.ts";
import { viewRow } from "../rows/row-view.ts";
import { decodeDigests } from "../rows/row-wire.ts";
import type { HostStore } from "./host-store.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { outcomeAt } from "./row-search.ts";
import type { StoredCheck } from "./stored-check.ts";

type CheckThread = TaskPool<typeof import("../cleaning/check-tasks.ts")>;

const ROWS_A_MESSAGE = 1_000;

interface CheckFailure {
  readonly why: string;
  /** Earliest time of the next try, in Unix milliseconds. */
  readonly notBeforeMs: number;
}

const tooLong = (timeoutMs: number) =>
  datanetError("DNT_CHECK_FAILED", `the rows could not be looked at in ${timeoutMs} ms`, {
    data: { timeoutMs },
  });

interface RunningCheck {
  readonly datanetId: number;
  /** Step that runs. `done` steps of `total` are finished. */
  readonly step: string;
  readonly done: number;
  readonly total: number;
}

/** Steps: reading, and those of the thread. */
const TOTAL_STEPS = 1 + CHECK_STEPS.length;

export class RowChecks {
  readonly #store: HostStore;
  readonly #nowMs: () => number;
  readonly #results = new Map<number, StoredCheck>();
  readonly #failures = new Map<number, CheckFailure>();
  readonly #timeoutMs: number;
  #running: RunningCheck | null = null;
  #thread: CheckThread | null = null;

  constructor(store: HostStore, timeoutMs: number, nowMs: () => number) {
    this.#store = store;
    this.#timeoutMs = timeoutMs;
    this.#nowMs = nowMs;
  }

  /** Returns the last result, also of before the host's last start; null if the Datanet was never checked. */
  async last(datanet: HostedDatanet): Promise<StoredCheck | null> {
    const known = this.#results.get(datanet.id);
    if (known !== undefined) return known;
    const stored = await this.#store.check(datanet.id);
    if (stored !== null) this.#results.set(datanet.id, stored);
    return stored;
  }

  /** Returns why the last check of a Datanet's rows failed; null if it did not. */
  failure(datanetId: number): string | null {
    return this.#failures.get(datanetId)?.why ?? null;
  }

  get running(): RunningCheck | null {
    return this.#running;
  }

  /**
   * Checks all rows; resolves when the findings are stored.
   * @param all every Datanet of the host
   * @throws DNT_CHECK_RUNNING, DNT_CHECK_FAILED
   */
  async run(
    datanet: HostedDatanet,
    cardOf: (one: HostedDatanet) => Promise<Card>,
    all: readonly HostedDatanet[],
  ) {
    if (this.#running !== null)
      throw datanetError(
        "DNT_CHECK_RUNNING",
        `the host looks at Datanet ${this.#running.datanetId} just now`,
        {
          data: { ...this.#running },
        },
      );
    const beganAtMs = this.#nowMs();
    const { notBeforeMs = 0, why = "" } = this.#failures.get(datanet.id) ?? {};
    if (beganAtMs < notBeforeMs)
      throw datanetError("DNT_CHECK_FAILED", `it failed a moment ago: ${why}`, {
        data: { notBeforeMs },
      });
    this.#at(datanet, "reading", 0);
    const failed = (cause: unknown) =>
      datanetError("DNT_CHECK_FAILED", `the rows could not be looked at: ${(cause as Error).message}`, {
        cause,
      });
    // A thread for each check: it keeps the rows.
    const thread: CheckThread = new TaskPool({
      tasks: new URL("../cleaning/check-tasks.ts", import.meta.url),
      threadCount: 1,
      ended: failed,
    });
    this.#thread = thread;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(tooLong(this.#timeoutMs)), this.#timeoutMs);
    const { signal } = deadline;
    try {
      const { recordCount } = datanet;
      const card = await cardOf(datanet);
      const rowCount = await this.#sendRows(datanet, card, (piece) =>
        thread.run("addRows", piece, { signal }),
      );
      for (const other of all)
        if (other !== datanet)
          await sendForeign(datanet, other, await cardOf(other), (piece) =>
            thread.run("addForeign", piece, { signal }),
          );
      const found = await thread
        .run(
          "check",
          { card, datanetId: datanet.id },
          { signal, onPart: (step) => this.#at(datanet, step, 1 + CHECK_STEPS.indexOf(step)) },
        )
        .catch((error: unknown) => {
          throw isRollupError(error, "DNT_CHECK_FAILED") ? error : failed(error);
        });
      const check: StoredCheck = {
        rowCount,
        recordCount,
        checkedAtMs: this.#nowMs(),
        findings: [...(await findRepeats(datanet)), ...found],
      };
      await this.#store.putCheck(datanet.id, check);
      this.#results.set(datanet.id, check);
      this.#failures.delete(datanet.id);
      return check;
    } catch (error) {
      // As long as it took, the thread is the others': one Datanet cannot have it for ever.
      const endedAtMs = this.#nowMs();
      const notBeforeMs = 2 * endedAtMs - beganAtMs;
      this.#failures.set(datanet.id, { why: (error as Error).message, notBeforeMs });
      throw error;
    } finally {
      this.#running = null;
      this.#thread = null;
      clearTimeout(timer);
      await thread.close();
    }
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  #at(datanet: HostedDatanet, step: string, done: number): void {
    this.#running = { datanetId: datanet.id, step, done, total: TOTAL_STEPS };
  }

  async #sendRows(
    datanet: HostedDatanet,
    card: Card,
    send: (piece: readonly RowToCheck[]) => Promise<void>,
  ): Promise<number> {
    const { commits, rows } = datanet;
    const order = inLedgerOrder(datanet);
    for (let from = 0; from < order.length; from += ROWS_A_MESSAGE) {
      const piece: RowToCheck[] = [];
      for (const row of order.subarray(from, from + ROWS_A_MESSAGE)) {
        const outcome = outcomeAt(datanet, card, row);
        const { contributorId, opIndex } = commits[rows.commitOf(row)]!.facts;
        piece.push({
          row: rows.digest(row),
          contributorId,
          opIndex,
          // A part of a file would take the whole file along.
          content: Uint8Array.from(await datanet.content(row)),
          acceptedLabel: outcome.state === "accepted" ? outcome.label : null,
        });
      }
      await send(piece);
    }
    return order.length;
  }
}

/** Row numbers as the ledger has the rows. */
function inLedgerOrder({ commits, rows }: HostedDatanet): Int32Array {
  const placeOf = commits.map(({ facts }) => facts.commitIndex);
  const place = (row: number) => placeOf[rows.commitOf(row)]!;
  return Int32Array.from({ length: rows.size }, (_, row) => row).sort(
    (a, b) => place(a) - place(b) || rows.indexOf(a) - rows.indexOf(b),
  );
}

/** Rows of another Datanet that were committed before this one's last row. */
async function sendForeign(
  datanet: HostedDatanet,
  other: HostedDatanet,
  card: Card,
  send: (piece: readonly ForeignRow[]) => Promise<void>,
): Promise<void> {
  const last = Math.max(-1, ...datanet.commits.map(({ facts }) => facts.opIndex));
  let piece: ForeignRow[] = [];
  for (let row = 0; row < other.rows.size; row++) {
    const { contributorId, opIndex } = other.commits[other.rows.commitOf(row)]!.facts;
    if (opIndex >= last) continue;
    const { text } = viewRow(card, await other.content(row));
    piece.push({ datanetId: other.id, row: other.rows.digest(row), contributorId, text, opIndex });
    if (piece.length < ROWS_A_MESSAGE) continue;
    await send(piece);
    piece = [];
  }
  await send(piece);
}

/** Rows that a later commit to the same Datanet has once more: they count for the first, by the ledger's order. */
async function findRepeats(datanet: HostedDatanet): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const [number, commit] of datanet.commits.entries()) {
    for (const digest of decodeDigests(await datanet.list(commit))) {
      const row = datanet.rows.find(digest);
      if (row === undefined || datanet.rows.commitOf(row) === number) continue;
      const first = datanet.commits[datanet.rows.commitOf(row)]!.facts;
      const { contributorId } = commit.facts;
      found.push(
        makeFinding(
          "copy",
          { row: digest, contributorId },
          {
            earlier: { datanetId: datanet.id, row: digest, contributorId: first.contributorId },
            similarityPermille: 1_000,
            detail: `the same bytes were committed here before, by leaf ${first.contributorId}: they count for that leaf`,
          },
        ),
      );
    }
  }
  return found;
}
