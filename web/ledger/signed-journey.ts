/**
 * Begins journeys, movements of money that the pages follow, whose first step is an operation signed by the ledger key
 * (transfer, withdrawal, paid answer): stored once it is signed, so that a page that was closed sends it again.
 */
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { reached } from "./advance.ts";
import type { Journey, JourneyKind } from "./journey.ts";
import { keepJourney } from "./journey-store.ts";
import type { Session } from "./session.ts";

export function beginJourney(kind: JourneyKind, amountWei: bigint): Journey {
  return {
    id: crypto.randomUUID(),
    kind,
    amountWei,
    startedAtMs: Date.now(),
    reachedAtMs: {},
    expectedAtMs: {},
  };
}

/** Stores a signed operation before it is sent: a page that closes in between sends it again when it opens. */
export async function storeSignedJourney(
  now: Session,
  started: Journey,
  send: (onSigned: (signed: SignedSubmission) => void) => Promise<{ status: string }>,
): Promise<void> {
  let journey = started;
  const { status } = await send((signed) => {
    const [receipt] = started.kind === "answer" ? signed.body.words : [];
    const known = { signed, hash: signed.hash, ...(receipt === undefined ? {} : { receipt }) };
    journey = reached({ ...journey, ...known }, "signed", Date.now());
    keepJourney(now, journey);
  });
  if (status === "pending") return;
  const { signed: _, ...rest } = journey;
  keepJourney(now, reached(rest, "accepted", Date.now()));
}
