/**
 * Acts of a leaf: what its key has signed, on the ledger and in records, and what its owner had executed through L1's queue. Members of
 * a Safe that owns the leaf follow their delegate by them. They are read when somebody asks, and nothing is stored.
 */
import { createHash } from "node:crypto";
import { amountOf, queuedAmountOf } from "@openledger/circuits/ledger/moved-amounts";
import { KIND, type KindName, kindRule } from "@openledger/circuits/protocol";
import type { Queries } from "@openledger/foundation/database/queries";
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import type { SignedRecord } from "../records/record.ts";
import type { HostLedger, HostOperation } from "../store/ledger-view.ts";
import { openText } from "./event.ts";

export interface LeafAct {
  /** 32 hexadecimal digits, the same at every host. */
  readonly uid: string;
  /** Kind of the operation, or "record." and the kind of the record. */
  readonly kind: string;
  /** key: signed by the leaf's key; owner: by the leaf's L1 owner, through the queue. */
  readonly by: "key" | "owner";
  /** Hash of the operation or id of the record; null for an entry of the queue. */
  readonly hash: string | null;
  readonly queueIndex: number | null;
  /** Unix milliseconds; of an operation of the open batch, the time of the question. */
  readonly atMs: number;
  readonly text: string;
}

/** Largest number of a leaf. */
const MAX_LEAF_ID = 2 ** 24 - 1;
/** Acts that are listed. */
const MAX_ACTS = 50;
/** Newest records of a Datanet among which its own are looked for. */
const MAX_RECORDS = 2_000;
/** Milliseconds for which a list is not read again. */
const LIST_LIFE_MS = 2_000;

interface LeafActsModules {
  readonly ledger: Pick<HostLedger, "operationsPage">;
  readonly database: Queries;
}

export class LeafActs {
  readonly #modules: LeafActsModules;
  readonly #recent = new RecentAnswers<number, readonly LeafAct[]>({
    maxItems: 50_000,
    cacheMs: LIST_LIFE_MS,
    sizeOf: ({ length }) => length,
  });

  constructor(modules: LeafActsModules) {
    this.#modules = modules;
  }

  /**
   * The newest acts of a leaf, newest first: operations by the sequencer's word, and of a Datanet its own records here.
   * @throws SRV_SEQUENCER_UNREACHABLE
   */
  async of(leafId: number): Promise<readonly LeafAct[]> {
    // Attack: the sequencer and the database refuse such a number, and a stranger fills the operator's log with their failures.
    if (leafId > MAX_LEAF_ID) return [];
    return this.#recent.get(leafId, async () => {
      const [{ operations }, records] = await Promise.all([
        this.#modules.ledger.operationsPage(leafId),
        this.#recordsOf(leafId),
      ]);
      const nowMs = Date.now();
      const signed = operations.filter(
        (one) => one.a === leafId && kindRule(KIND[one.kind as KindName])?.usesA,
      );
      const acts = [...signed.map((one) => actOf(leafId, one, nowMs)), ...records];
      return acts.sort((a, b) => b.atMs - a.atMs).slice(0, MAX_ACTS);
    });
  }

  async #recordsOf(leafId: number): Promise<LeafAct[]> {
    const found = await this.#modules.database.query<{ id: string; record: string }>(
      `select id, record from
         (select id, leaf_id, record, number from records where datanet_id = $1 order by number desc limit $2) as newest
        where leaf_id = $1 order by number desc limit $3`,
      [leafId, MAX_RECORDS, MAX_ACTS],
    );
    return found.map(({ id, record }) => {
      const { body } = JSON.parse(record) as SignedRecord;
      return {
        uid: uidOf(`${leafId}/record/${id}`),
        kind: `record.${body.kind}`,
        by: "key",
        hash: id,
        queueIndex: null,
        atMs: body.atMs,
        text: `The key of leaf ${leafId} signed a record: ${wordsOf(body.kind)}.`,
      };
    });
  }
}

const uidOf = (name: string): string => createHash("sha256").update(`act/${name}`).digest("hex").slice(0, 32);
/** "publishVersion" → "publish version". */
const wordsOf = (kind: string): string => kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function actOf(leafId: number, operation: HostOperation, nowMs: number): LeafAct {
  const { acknowledgedAtMs, b, kind, status } = operation;
  const isForced = operation.hash === null;
  const wei = isForced ? queuedAmountOf(operation) : amountOf(operation);
  const amount = wei === null ? "" : `, ${openText(wei)} OPEN`;
  const rule = kindRule(KIND[kind as KindName]);
  const other = rule?.usesB === true && !rule.isCreate ? `, with leaf ${b}` : "";
  const end = status === "dropped" ? ", which was dropped" : "";
  const what = `${wordsOf(kind)}${amount}${other}${end}.`;
  return {
    uid: uidOf(`${leafId}/${operation.hash ?? operation.queueIndex}`),
    kind,
    by: isForced ? "owner" : "key",
    hash: operation.hash,
    queueIndex: isForced ? operation.queueIndex : null,
    atMs: acknowledgedAtMs ?? nowMs,
    text: isForced
      ? `The owner of leaf ${leafId} had it executed by entry ${operation.queueIndex} of Ethereum's queue: ${what}`
      : `The key of leaf ${leafId} signed: ${what}`,
  };
}
