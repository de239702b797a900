/**
 * Polls a host's Datanets for events of which accounts are notified: new signed records (access, objections, withdrawals), and the
 * approvals, payments and settlements of the models on the ledger. host-process.ts runs it in the background. Several hosts on one
 * database may run it at the same time: an event's name makes it stored once.
 */
import { PAYEE_ROLE, roleShareWei } from "@openledger/circuits/ledger/rewards";
import { byteStrings } from "@openledger/foundation/database/binary-lists";
import type { Queries } from "@openledger/foundation/database/queries";
import { hex32 } from "@openledger/foundation/hex";
import type { Card } from "../card/card.ts";
import type { SignedRecord } from "../records/record.ts";
import { aliasesOf } from "../rows/row-digest.ts";
import type { HostStore } from "../store/host-store.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import type { KeyNotices } from "../store/key-notices.ts";
import { MAX_LEAVES_A_REQUEST } from "../store/leaf-batches.ts";
import {
  type DatanetLeaf,
  datanetOf,
  type HeldModel,
  type HostLedger,
  type HostPayee,
} from "../store/ledger-view.ts";
import { outcomeSql } from "../store/row-outcome.ts";
import type { EventData, EventKind, NewEvent } from "./event.ts";
import { addEventsUpTo, readMark } from "./event-store.ts";

/** Records of a Datanet in one query. */
const RECORDS_A_QUERY = 500;
/** Datanets of one poll, whose leaves and models are one request each. The next poll goes on with the Datanets after them. */
const DATANETS_A_POLL = MAX_LEAVES_A_REQUEST;
/** Minimum interval between two notices to an account of a model's paid answers. */
const USED_EVERY_MS = 3_600_000;
/** Settlements in one request to the sequencer. Leaving out older ones changes amounts by roundings alone, a wei for each payee. */
const MAX_SETTLEMENTS = 200;

interface FoundRecord {
  readonly number: number;
  readonly record: string;
  readonly digest: Buffer | null;
  /** Root of the commit that has the row, and the row's place in it. */
  readonly rowsRoot: string | null;
  readonly place: number | null;
  readonly contributorId: number | null;
  readonly isDisputed: boolean;
  /** Account whose access request the record answers; null for other records. */
  readonly requesterId: number | null;
}

interface EventWatchModules {
  readonly store: HostStore;
  readonly ledger: Pick<HostLedger, "history" | "leaves" | "modelsOf" | "payeesOf" | "settlementsOf">;
  readonly keyNotices: Pick<KeyNotices, "cardOf">;
  readonly nowMs: () => number;
}

export class EventWatch {
  readonly #modules: EventWatchModules;
  /** Last Datanet of the previous poll; −1 begins with the first one. */
  #lastId = -1;

  constructor(modules: EventWatchModules) {
    this.#modules = modules;
  }

  /**
   * Polls the next Datanets. One that fails holds up no other.
   * @returns true if more Datanets follow, so that the next poll should be at once
   * @throws the first Datanet's error, after all were polled: SRV_SEQUENCER_UNREACHABLE, DNT_NOT_HOSTED without a card
   */
  async poll(): Promise<boolean> {
    const all = await this.#modules.store.all();
    const next = all.filter(({ id }) => id > this.#lastId).slice(0, DATANETS_A_POLL);
    const isMore = next.length === DATANETS_A_POLL;
    this.#lastId = isMore ? next.at(-1)!.id : -1;
    const errors: unknown[] = [];
    const ids = next.map(({ id }) => id);
    const { ledger } = this.#modules;
    const leaves = await ledger.leaves(ids);
    const models = await ledger.modelsOf(ids).catch((error: unknown) => {
      errors.push(error);
      return null;
    });
    for (const datanet of next) {
      try {
        await this.#pollRecords(
          datanet,
          datanetOf(datanet.id, leaves.get(datanet.id)!),
          models?.get(datanet.id) ?? null,
        );
        if (models !== null) await this.#pollModels(datanet.id, models.get(datanet.id)!);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
    return isMore;
  }

  async #pollRecords(
    datanet: HostedDatanet,
    leaf: DatanetLeaf,
    models: readonly HeldModel[] | null,
  ): Promise<void> {
    const { keyNotices, nowMs, store } = this.#modules;
    const { card } = await keyNotices.cardOf(datanet, leaf);
    const name = `records/${datanet.id}`;
    for (;;) {
      const mark = Number((await readMark(store.database, name)) ?? 0);
      const found = await store.database.query<FoundRecord>(
        `select records.number, record, digest, contributor_id as "contributorId", rows_root as "rowsRoot", place,
                coalesce(${outcomeSql(card).state} = 'disputed', false) as "isDisputed",
                (select leaf_id from records as request
                  where request.datanet_id = records.datanet_id and request.id = records.about) as "requesterId"
           from records
           left join rows on rows.datanet_id = records.datanet_id and rows.number = row_number
           left join commits on commits.datanet_id = rows.datanet_id and commits.number = rows.commit_number
          where records.datanet_id = $1 and records.number >= $2::bigint order by records.number limit $3`,
        [datanet.id, mark, RECORDS_A_QUERY],
      );
      if (found.length === 0) return;
      const events = found.flatMap((one) => eventsOfRecord(card, datanet.id, one));
      events.push(...(await this.#eventsOfModels(datanet.id, models, found)));
      const next = { events, name, mark: String(found.at(-1)!.number + 1), nowMs: nowMs() };
      await addEventsUpTo(store.database, next);
      if (found.length < RECORDS_A_QUERY) return;
    }
  }

  /** Returns an event for each withdrawal and each model that has the row. */
  async #eventsOfModels(
    datanetId: number,
    models: readonly HeldModel[] | null,
    found: readonly FoundRecord[],
  ): Promise<NewEvent[]> {
    const { ledger, store } = this.#modules;
    const withdrawn = found.flatMap(({ contributorId, digest, record }) => {
      const { body } = JSON.parse(record) as SignedRecord;
      return body.kind === "withdrawal" && body.leafId === contributorId ? [{ body, digest: digest! }] : [];
    });
    if (withdrawn.length === 0) return [];
    // The next poll makes their events.
    if (models === null) throw new Error("the models of the Datanet are not known now");
    const { versions } = await ledger.history(datanetId);
    const events: NewEvent[] = [];
    for (const { id, model } of models) {
      // Of a further Datanet the ledger names no version: such a model may have any of its rows.
      const version = model.datanetId === datanetId ? versions[model.version - 1] : undefined;
      for (const { body, digest } of withdrawn)
        if (
          version === undefined ||
          (await hasRow(store.database, datanetId, hex32(version.rowsRoot), digest))
        )
          events.push(
            eventTo(id, `withdrawn/${body.row}/${body.atMs}/${datanetId}`, "row.withdrawn", {
              atMs: body.atMs,
              data: { datanetId, modelId: id, byId: body.leafId },
            }),
          );
    }
    return events;
  }

  async #pollModels(datanetId: number, models: readonly HeldModel[]): Promise<void> {
    for (const model of models) {
      await this.#pollApproval(datanetId, model);
      if (!model.counters.isReady) continue;
      await this.#pollPayments(datanetId, model);
      await this.#pollSettlements(datanetId, model);
    }
  }

  async #pollApproval(datanetId: number, { counters, id }: HeldModel): Promise<void> {
    const { nowMs, store } = this.#modules;
    const name = `waits/${datanetId}/${id}`;
    if (counters.isApproved || (await readMark(store.database, name)) !== null) return;
    const about = { leafId: datanetId, datanetId, atMs: nowMs() };
    const event = { ...about, name, kind: "model.waits" as const, data: { datanetId, modelId: id } };
    await addEventsUpTo(store.database, { events: [event], name, mark: "told", nowMs: nowMs() });
  }

  /** Stores events for new payments of the open epoch, at most once an hour. */
  async #pollPayments(datanetId: number, { counters, id }: HeldModel): Promise<void> {
    const { ledger, nowMs, store } = this.#modules;
    // One mark for a model of several Datanets.
    const name = `used/${id}`;
    const { epoch, paymentCount } = counters;
    const mark = (await readMark(store.database, name))?.split("/").map(Number) ?? [epoch, 0, 0];
    const [lastEpoch = epoch, lastCount = 0, lastAtMs = 0] = mark;
    const newCount = lastEpoch === epoch ? paymentCount - lastCount : paymentCount;
    if (newCount <= 0 || Math.abs(nowMs() - lastAtMs) < USED_EVERY_MS) return;
    const events = rowsOfLeaves(await ledger.payeesOf(id)).map(([leafId, rowCount]) =>
      eventTo(leafId, `used/${id}/${epoch}/${paymentCount}`, "row.used", {
        atMs: nowMs(),
        data: { modelId: id, epoch, paymentCount: newCount, rowCount, datanetId },
      }),
    );
    const next = { events, name, mark: [epoch, paymentCount, nowMs()].join("/"), nowMs: nowMs() };
    await addEventsUpTo(store.database, next);
  }

  /** Stores events for new settlements: those since the root of the payees' accrued rewards last changed. */
  async #pollSettlements(datanetId: number, { counters, id, model }: HeldModel): Promise<void> {
    const { ledger, nowMs, store } = this.#modules;
    const name = `accrued/${id}`;
    const [knownRoot, lastEpoch = 0] = (await readMark(store.database, name))?.split("/").map(BigInt) ?? [];
    if (knownRoot === model.accruedRoot) return;
    const [payees, settlements] = await Promise.all([
      ledger.payeesOf(id),
      ledger.settlementsOf(id, Math.min(MAX_SETTLEMENTS, counters.epoch + 1)),
    ]);
    const oldestFirst = settlements.filter(({ kind }) => kind === "settle").sort((a, b) => a.epoch - b.epoch);
    const validatorParts = BigInt(model.validatorParts);
    const accruedWei = payees.map(() => 0n);
    const events: NewEvent[] = [];
    for (const { earnedWei, epoch } of oldestFirst) {
      const sums = new Map<number, bigint>();
      for (const [i, { contributorId, validatorId }] of payees.entries()) {
        const before = accruedWei[i]!;
        accruedWei[i] = before + (earnedWei?.[i] ?? 0n);
        for (const [leafId, role] of [
          [contributorId, PAYEE_ROLE.contributor],
          [validatorId, PAYEE_ROLE.validator],
        ] as const) {
          // As the ledger rounds: what has accrued so far, less what had before.
          const wei =
            roleShareWei(accruedWei[i]!, role, validatorParts) - roleShareWei(before, role, validatorParts);
          sums.set(leafId, (sums.get(leafId) ?? 0n) + wei);
        }
      }
      // Settlements before the first poll make no event.
      if (knownRoot === undefined || epoch <= lastEpoch) continue;
      for (const [leafId, wei] of sums)
        if (wei > 0n)
          events.push(
            eventTo(leafId, `paid/${id}/${epoch}`, "paid.out", {
              atMs: nowMs(),
              data: { modelId: id, epoch, amountWei: wei.toString(), datanetId },
            }),
          );
    }
    const mark = `${model.accruedRoot}/${oldestFirst.at(-1)?.epoch ?? 0}`;
    await addEventsUpTo(store.database, { events, name, mark, nowMs: nowMs() });
  }
}

const eventTo = (
  leafId: number,
  name: string,
  kind: EventKind,
  { atMs, data }: { atMs: number; data: EventData },
): NewEvent => ({ name: `${name}/${leafId}`, kind, leafId, datanetId: data.datanetId ?? null, atMs, data });

/** Returns true if a version's list has the row, or if the host does not have the list. */
async function hasRow(
  { query }: Queries,
  datanetId: number,
  rowsRoot: string,
  digest: Buffer,
): Promise<boolean> {
  // Attack: a stranger brings the list with aliases of its rows' digests (listed-digests.ts), and no model's owner is told.
  const [list] = await query<{ isIn: boolean }>(
    `select exists (select 1 from unnest($3::bytea[]) as alias where position(alias in list) > 0) as "isIn"
       from versions where datanet_id = $1 and rows_root = $2`,
    [datanetId, rowsRoot, byteStrings(aliasesOf(digest))],
  );
  return list?.isIn ?? true;
}

/** Rows of each leaf in a model, as contributor or validator. */
function rowsOfLeaves(payees: readonly HostPayee[]): [leafId: number, rowCount: number][] {
  const counts = new Map<number, number>();
  for (const { contributorId, rowCount, validatorId } of payees)
    for (const leafId of new Set([contributorId, validatorId]))
      counts.set(leafId, (counts.get(leafId) ?? 0) + rowCount);
  return [...counts];
}

function eventsOfRecord(
  card: Card,
  datanetId: number,
  { contributorId, digest, isDisputed, place, record, requesterId, rowsRoot }: FoundRecord,
): NewEvent[] {
  const { body } = JSON.parse(record) as SignedRecord;
  const { atMs, leafId: byId } = body;
  // Rows of a permissioned Datanet are shown to its readers alone.
  const row = digest === null || card.access !== "public" ? {} : { row: digest.toString("hex") };
  // Attack: an event's uid is the hash of its name, and whoever guesses a row hashes names with the row's digest until one fits.
  const rowName = row.row ?? `${rowsRoot}/${place}`;
  const to = (leafId: number, name: string, kind: EventKind, data: EventData) =>
    eventTo(leafId, `${name}/${datanetId}`, kind, { atMs, data: { datanetId, ...data } });
  switch (body.kind) {
    case "accessRequest":
      return [to(datanetId, `asked/${byId}/${atMs}`, "access.requested", { byId })];
    case "accessAnswer":
      if (requesterId === null) return [];
      return [
        to(requesterId, `answered/${body.request}/${atMs}`, "access.answered", { answer: body.answer }),
      ];
    case "objection":
      return [
        to(datanetId, `objection/${byId}/${rowName}/${atMs}`, "row.disputed", {
          byId,
          ...row,
          why: "objection",
        }),
      ];
    case "leaveOut":
      if (contributorId === null || contributorId === byId || !body.isLeftOut) return [];
      return [
        to(contributorId, `left-out/${rowName}/${atMs}`, "row.disputed", { byId, ...row, why: "left-out" }),
      ];
    case "withdrawal":
      if (contributorId !== byId) return [];
      return [to(datanetId, `withdrawn/${rowName}/${atMs}`, "row.withdrawn", { byId, ...row })];
    case "label":
      if (contributorId === null || !isDisputed) return [];
      return [to(contributorId, `labels/${rowName}`, "row.disputed", { ...row, why: "labels" })];
    default:
      return [];
  }
}
