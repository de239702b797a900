/**
 * Who may read a permissioned Datanet's rows by a grant. Hosts and models' servers ask the same two questions: which records count
 * (`isGrantRecordOf`), and what follows from them (`grantedUntilMs`).
 */
import type { SignedRecord } from "./record.ts";

/** Present keys of the two leaves of a grant, 0x-hex of 32 bytes. */
export interface GrantKeys {
  readonly datanet: string;
  readonly reader: string;
}

/**
 * True for a request for access, or an answer to one, that the key has signed which the ledger has for its leaf now. A grant under a
 * former key does not count: whoever has that key could write one, with any time. Attack: a Datanet was moved to a new owner, or its
 * key was stolen and replaced, and whoever has the old key goes on granting.
 */
export const isGrantRecordOf = (
  { body, keyX }: Pick<SignedRecord, "body" | "keyX">,
  keys: GrantKeys,
): boolean =>
  body.kind === "accessAnswer"
    ? body.leafId === body.datanetId && keyX === keys.datanet
    : body.kind === "accessRequest" && keyX === keys.reader;

/** A leaf's request for access, with the owner's last answer to it. */
interface AnsweredRequest {
  readonly leafId: number;
  readonly answer: {
    readonly answer: "grant" | "refuse";
    readonly untilMs: number;
    readonly atMs: number;
  } | null;
}

/** Time until which a leaf may read, by the last answer to any of its requests; null if that is no grant, or there is none. */
export function grantedUntilMs(requests: readonly AnsweredRequest[], leafId: number): number | null {
  let last: AnsweredRequest["answer"] = null;
  for (const { answer, leafId: asker } of requests)
    if (asker === leafId && answer !== null && (last === null || answer.atMs > last.atMs)) last = answer;
  return last?.answer === "grant" ? last.untilMs : null;
}
