/**
 * Runs the checks of Datanets' rows (datanets/cleaning) that reviewers ask for: one at a time for all hosts on one database, in
 * a thread of one of them, within a bound of memory. The result is stored, and finding-routes.ts shows it.
 */
import { randomBytes } from "node:crypto";
import { isPassing } from "@openledger/foundation/database/database-errors";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { TaskPool } from "@openledger/foundation/threads/task-pool";
import type { Card } from "../card/card.ts";
import { CHECK_STEPS } from "../cleaning/check-rows.ts";
import { type Finding, makeFinding } from "../cleaning/finding.ts";
import type { ForeignRow, RowToCheck } from "../cleaning/row-to-check.ts";
import { datanetError } from "../datanet-errors.ts";
import { hasComparedTexts } from "../rows/preview.ts";
import { viewRow } from "../rows/row-view.ts";
import type { HostStore } from "./host-store.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { outcomeSql } from "./row-outcome.ts";
import { digestsSql, storable } from "./sql-values.ts";
import type { StoredCheck } from "./stored-check.ts";
import type { StoredCommit } from "./stored-datanet.ts";

type CheckThread = TaskPool<typeof import("../cleaning/check-tasks.ts")>;

const ROWS_A_MESSAGE = 1_000;
const DIGESTS_A_STATEMENT = 4_096;
/** A host that checks says so this often; another one takes over if it has not for some times longer. */
const ALIVE_EVERY_MS = 5_000;
const DEAD_AFTER_SECONDS = 30;

/**
 * Memory that a check takes, measured on 1,000 to 40,000 texts of 50 to 2,000 bytes: of its thread before the first row, for a row, and for
 * a byte of a text and of a picture. The similarity of a card may be so low that each word is compared.
 */
const THREAD_BYTES = 2 ** 26;
const BYTES_A_ROW = 2_500;
const BYTES_A_TEXT_BYTE = 70;
const BYTES_A_PICTURE_BYTE = 4;

const memoryBytes = ({ row }: Card, rowCount: number, bytes: number): number =>
  BYTES_A_ROW * rowCount + (row.kind === "image" ? BYTES_A_PICTURE_BYTE : BYTES_A_TEXT_BYTE) * bytes;

/** Datanet whose rows those of a checked one are compared with, and its card. */
interface OtherDatanet {
  readonly datanet: HostedDatanet;
  readonly card: Card;
}

const tooLong = (timeoutMs: number) =>
  datanetError("DNT_CHECK_FAILED", `the rows could not be looked at in ${timeoutMs} ms`, {
    data: { timeoutMs },
  });

const unlessPassing = (error: unknown) => {
  if (!isPassing(error)) throw error;
};

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
  readonly #timeoutMs: number;
  readonly #maxMemoryBytes: number;
  #thread: CheckThread | null = null;

  constructor(
    store: HostStore,
    { maxMemoryBytes, nowMs, timeoutMs }: { maxMemoryBytes: number; timeoutMs: number; nowMs: () => number },
  ) {
    this.#store = store;
    this.#timeoutMs = timeoutMs;
    this.#maxMemoryBytes = maxMemoryBytes;
    this.#nowMs = nowMs;
  }

  /** Returns the last result; null if the Datanet was never checked. */
  async last(datanet: HostedDatanet): Promise<StoredCheck | null> {
    const [found] = await this.#store.database.query<Omit<StoredCheck, "findings"> & { findings: string }>(
      `select row_count as "rowCount", record_count as "recordCount", checked_at_ms::float8 as "checkedAtMs",
              uncompared_count as "uncomparedCount", findings
         from checks where datanet_id = $1 and findings is not null`,
      [datanet.id],
    );
    return found === undefined ? null : { ...found, findings: JSON.parse(found.findings) as Finding[] };
  }

  /** Returns why the last check of a Datanet's rows failed; null if it did not. */
  async failure(datanetId: number): Promise<string | null> {
    return (await this.#failure(datanetId))?.why ?? null;
  }

  /** The check that runs, on whichever host. */
  async running(): Promise<RunningCheck | null> {
    const [found] = await this.#store.database.query<RunningCheck>(
      `select datanet_id as "datanetId", step, done, total from running_checks
        where alive_at > now() - make_interval(secs => ${DEAD_AFTER_SECONDS})`,
    );
    return found ?? null;
  }

  /**
   * Begins to check all rows. `done` resolves when the findings are stored.
   * @param othersOf Datanets whose rows these may be compared with
   * @throws DNT_CHECK_RUNNING, DNT_CHECK_FAILED
   */
  async begin(
    { card, datanet }: OtherDatanet,
    othersOf: () => Promise<readonly OtherDatanet[]>,
  ): Promise<{ done: Promise<StoredCheck> }> {
    const beganAtMs = this.#nowMs();
    const failure = await this.#failure(datanet.id);
    if (failure !== null && beganAtMs < failure.notBeforeMs)
      throw datanetError("DNT_CHECK_FAILED", `it failed a moment ago: ${failure.why}`, {
        data: { notBeforeMs: failure.notBeforeMs },
      });
    const needed = THREAD_BYTES + (await neededBytes({ card, datanet }));
    if (needed > this.#maxMemoryBytes) throw tooLarge(needed, this.#maxMemoryBytes);
    const token = await this.#claim(datanet.id);
    return { done: this.#run({ card, datanet }, othersOf, { token, beganAtMs }) };
  }

  async #run(
    { card, datanet }: OtherDatanet,
    othersOf: () => Promise<readonly OtherDatanet[]>,
    { beganAtMs, token }: { token: string; beganAtMs: number },
  ): Promise<StoredCheck> {
    const { database } = this.#store;
    const failed = (cause: unknown) =>
      datanetError("DNT_CHECK_FAILED", `the rows could not be looked at: ${(cause as Error).message}`, {
        cause,
      });
    // A thread for each check: it keeps the rows.
    const thread: CheckThread = new TaskPool({
      tasks: new URL("../cleaning/check-tasks.ts", import.meta.url),
      threadCount: 1,
      // What it reads is bounded by the same: the heap ends a check whose rows need more than was measured.
      maxHeapMb: Math.ceil(this.#maxMemoryBytes / 2 ** 20),
      ended: failed,
    });
    this.#thread = thread;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(tooLong(this.#timeoutMs)), this.#timeoutMs);
    const alive = setInterval(() => void this.#at(token, null).catch(() => {}), ALIVE_EVERY_MS);
    const { signal } = deadline;
    try {
      const { recordCount } = datanet;
      let freeBytes = this.#maxMemoryBytes - THREAD_BYTES - (await neededBytes({ card, datanet }));
      const rowCount = await this.#sendRows(datanet, card, async (piece) => {
        signal.throwIfAborted();
        await thread.run("addRows", piece, { signal });
      });
      let uncomparedCount = 0;
      for (const other of await othersOf())
        await sendForeign(datanet, other, async (piece) => {
          signal.throwIfAborted();
          const fitting = piece.filter(({ memoryBytes }) => {
            freeBytes -= memoryBytes;
            return freeBytes >= 0;
          });
          uncomparedCount += piece.length - fitting.length;
          if (fitting.length > 0)
            await thread.run(
              "addForeign",
              fitting.map(({ row }) => row),
              { signal },
            );
        });
      const found = await thread
        .run(
          "check",
          { card, datanetId: datanet.id },
          { signal, onPart: (step) => void this.#at(token, step).catch(() => {}) },
        )
        .catch((error: unknown) => {
          throw isRollupError(error, "DNT_CHECK_FAILED") ? error : failed(error);
        });
      const check: StoredCheck = {
        // Nothing is found in withdrawn rows: they count as looked at.
        rowCount: rowCount + (await withdrawnCount(datanet)),
        recordCount,
        checkedAtMs: this.#nowMs(),
        uncomparedCount,
        findings: [...(await findRepeats(datanet)), ...found],
      };
      await database.query(
        `insert into checks values ($1, $2, $3, $4::bigint, $5, null, null, $6)
           on conflict (datanet_id) do update set row_count = excluded.row_count, record_count = excluded.record_count,
              checked_at_ms = excluded.checked_at_ms, findings = excluded.findings, failure = null, not_before_ms = null,
              uncompared_count = excluded.uncompared_count`,
        [
          datanet.id,
          check.rowCount,
          recordCount,
          Math.floor(check.checkedAtMs),
          JSON.stringify(check.findings),
          uncomparedCount,
        ],
      );
      return check;
    } catch (error) {
      // As long as it took, the thread is the others': one Datanet cannot have it for ever.
      const endedAtMs = this.#nowMs();
      await database
        .query(
          `insert into checks (datanet_id, failure, not_before_ms) values ($1, $2, $3::bigint)
             on conflict (datanet_id) do update set failure = excluded.failure, not_before_ms = excluded.not_before_ms`,
          [datanet.id, storable((error as Error).message), Math.ceil(2 * endedAtMs - beganAtMs)],
        )
        .catch(unlessPassing);
      throw error;
    } finally {
      this.#thread = null;
      clearTimeout(timer);
      clearInterval(alive);
      await thread.close();
      // Where the database does not answer, the check counts as ended after DEAD_AFTER_SECONDS.
      await database.query("delete from running_checks where token = $1", [token]).catch(unlessPassing);
    }
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  async #failure(datanetId: number): Promise<{ why: string; notBeforeMs: number } | null> {
    const [found] = await this.#store.database.query<{ why: string; notBeforeMs: number }>(
      `select failure as why, not_before_ms::float8 as "notBeforeMs" from checks where datanet_id = $1 and failure is not null`,
      [datanetId],
    );
    return found ?? null;
  }

  /** @throws DNT_CHECK_RUNNING */
  async #claim(datanetId: number): Promise<string> {
    const token = randomBytes(16).toString("hex");
    const [begun] = await this.#store.database.query(
      `insert into running_checks values (1, $1, $2, 'reading', 0, $3, now())
         on conflict (id) do update set token = excluded.token, datanet_id = excluded.datanet_id, step = excluded.step,
            done = 0, total = excluded.total, alive_at = now()
          where running_checks.alive_at <= now() - make_interval(secs => ${DEAD_AFTER_SECONDS})
         returning 1`,
      [token, datanetId, TOTAL_STEPS],
    );
    if (begun !== undefined) return token;
    const running = await this.running();
    throw datanetError(
      "DNT_CHECK_RUNNING",
      `the host looks at Datanet ${running?.datanetId ?? datanetId} just now`,
      { data: { ...running } },
    );
  }

  /** @param step null: the same as before */
  async #at(token: string, step: (typeof CHECK_STEPS)[number] | null): Promise<void> {
    await this.#store.database.query(
      "update running_checks set alive_at = now(), step = coalesce($2, step), done = coalesce($3, done) where token = $1",
      [token, step, step === null ? null : 1 + CHECK_STEPS.indexOf(step)],
    );
  }

  /** Sends the rows in the ledger's order. */
  async #sendRows(
    datanet: HostedDatanet,
    card: Card,
    send: (piece: readonly RowToCheck[]) => Promise<void>,
  ): Promise<number> {
    let count = 0;
    const outcome = outcomeSql(card);
    const commits = (await datanet.commits()).sort((a, b) => a.commitIndex - b.commitIndex);
    for (const { contributorId, number, opIndex } of commits)
      for (let last = -1; ; ) {
        const found = await this.#store.database.query<{
          digest: Buffer;
          place: number;
          content: Buffer;
          label: string | null;
          acceptedLabel: string | null;
        }>(
          `select digest, place, contents.bytes as content, ${outcome.label} as "acceptedLabel",
                  case when ${outcome.state} <> 'waiting' then rows.label end as label
             from rows join contents using (digest)
            where datanet_id = $1 and commit_number = $2 and place > $3 and not is_withdrawn
            order by place limit ${ROWS_A_MESSAGE}`,
          [datanet.id, number, last],
        );
        if (found.length === 0) break;
        await send(
          found.map(({ acceptedLabel, content, digest, label }) => ({
            row: digest.toString("hex"),
            contributorId,
            opIndex,
            // A part of a larger buffer would take all of it along.
            content: Uint8Array.from(content),
            label,
            acceptedLabel,
          })),
        );
        count += found.length;
        last = found.at(-1)!.place;
      }
    return count;
  }
}

async function withdrawnCount({ database, id }: HostedDatanet): Promise<number> {
  const [counted] = await database.query<{ count: number }>(
    "select count(*)::int as count from rows where datanet_id = $1 and is_withdrawn",
    [id],
  );
  return counted!.count;
}

/** Memory that the rows of a Datanet take in a check. */
async function neededBytes({ card, datanet: { database, id } }: OtherDatanet): Promise<number> {
  const [counted] = await database.query<{ count: number; bytes: number }>(
    "select count(*)::int as count, coalesce(sum(bytes), 0)::float8 as bytes from rows where datanet_id = $1 and not is_withdrawn",
    [id],
  );
  return memoryBytes(card, counted!.count, counted!.bytes);
}

const tooLarge = (neededBytes: number, maxBytes: number) =>
  datanetError(
    "DNT_CHECK_FAILED",
    `a check of the rows needs some ${Math.ceil(neededBytes / 2 ** 20)} MiB, and this host gives it ${Math.floor(maxBytes / 2 ** 20)}`,
    { data: { reason: "too-large", neededBytes, maxBytes } },
  );

/** Rows of another Datanet that were committed before this one's last row, each with the memory that it takes. */
async function sendForeign(
  datanet: HostedDatanet,
  { card, datanet: other }: OtherDatanet,
  send: (piece: readonly { readonly row: ForeignRow; readonly memoryBytes: number }[]) => Promise<void>,
): Promise<void> {
  for (let last = -1; ; ) {
    const found = await datanet.database.query<{
      number: number;
      digest: Buffer;
      contributorId: number;
      opIndex: number;
      content: Buffer;
    }>(
      `select rows.number, digest, contributor_id as "contributorId", op_index::float8 as "opIndex", contents.bytes as content
         from rows join contents using (digest)
         join commits on commits.datanet_id = rows.datanet_id and commits.number = commit_number
        where rows.datanet_id = $1 and rows.number > $2 and not is_withdrawn
          and op_index < (select coalesce(max(op_index), -1) from commits where datanet_id = $3)
        order by rows.number limit ${ROWS_A_MESSAGE}`,
      [other.id, last, datanet.id],
    );
    if (found.length === 0) return;
    await send(
      found.map(({ content, contributorId, digest, opIndex }) => {
        const text = hasComparedTexts(card) ? viewRow(card, content).text : "";
        const row = { datanetId: other.id, row: digest.toString("hex"), contributorId, text, opIndex };
        return { row, memoryBytes: BYTES_A_ROW + BYTES_A_TEXT_BYTE * text.length };
      }),
    );
    last = found.at(-1)!.number;
  }
}

/** Rows that a later commit to the same Datanet has once more: they count for the first, by the ledger's order. */
async function findRepeats(datanet: HostedDatanet): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const commit of await datanet.commits())
    for (let from = 0; from < commit.rowCount; from += DIGESTS_A_STATEMENT) {
      const repeats = await datanet.database.query<{ digest: Buffer; contributorId: number }>(
        `select digest, contributor_id as "contributorId" from ${digestsSql("$3")} as listed join rows using (digest)
           join commits on commits.datanet_id = rows.datanet_id and commits.number = commit_number
          where rows.datanet_id = $1 and commit_number <> $2 and not is_withdrawn order by listed.place`,
        [datanet.id, commit.number, await datanet.digests(commit, from, DIGESTS_A_STATEMENT)],
      );
      found.push(...repeats.map((repeat) => repeatOf(datanet.id, commit, repeat)));
    }
  return found;
}

function repeatOf(
  datanetId: number,
  { contributorId }: StoredCommit,
  first: { digest: Buffer; contributorId: number },
): Finding {
  const row = first.digest.toString("hex");
  return makeFinding(
    "copy",
    { row, contributorId },
    {
      earlier: { datanetId, row, contributorId: first.contributorId },
      similarityPermille: 1_000,
      detail: `the same bytes were committed here before, by leaf ${first.contributorId}: they count for that leaf`,
    },
  );
}
