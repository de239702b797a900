/**
 * Who may read a permissioned Datanet's rows by a grant. Hosts and models' servers ask the same two questions: which records count
 * (`isGrantRecordOf`), and what follows from them (`grantedUntilMs`).
 */
import type { SignedRecord } from "./record.ts";

/**
 * True for an answer to a request for access that the Datanet's present key has signed, and for every request: an answer names its request by
 * the hash of what it says, the reader's leaf among it, so a reader who has another key now goes on reading. A grant under a former key of
 * the Datanet does not count: whoever has that key could write one, with any time. Attack: a Datanet was moved to a new owner, or its key
 * was stolen and replaced, and whoever has the old key goes on granting.
 * @param datanetKeyX key that the ledger has for the Datanet now, 0x-hex of 32 bytes
 */
export const isGrantRecordOf = (
  { body, keyX }: Pick<SignedRecord, "body" | "keyX">,
  datanetKeyX: string,
): boolean =>
  body.kind === "accessRequest" ||
  (body.kind === "accessAnswer" && body.leafId === body.datanetId && keyX === datanetKeyX);

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
