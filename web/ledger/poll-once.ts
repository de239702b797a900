/**
 * Updates everything that the pages show of the connected address, once: its holdings, and the progress of each journey (a
 * movement of its money). journey-watch.ts repeats it.
 */

import { decodeAmount } from "@openledger/circuits/ledger/amount-float";
import { listOperations } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerOperation, SequencerStatus } from "@openledger/client/sequencer/sequencer-schemas";
import { type Hex, toHex } from "viem";
import { advance } from "./advance.ts";
import { holdings, mainAccount } from "./holdings.ts";
import { isOver, type Journey } from "./journey.ts";
import { advanceJourney, journeys, keepJourney } from "./journey-store.ts";
import { refreshHoldings } from "./read-holdings.ts";
import { type Session, session } from "./session.ts";

/** @throws CLI_UNREACHABLE, CLI_SEQUENCER_… */
export async function pollOnce(now: Session, status: SequencerStatus): Promise<void> {
  await refreshHoldings(now);
  if (session.value?.address !== now.address) return;
  await adopt(now);
  const pendingWei = holdings.value!.l1.pendingWei;
  for (const journey of journeys.value.filter((one) => !isOver(one))) {
    const next = await advance(now.client, journey, status, pendingWei);
    if (session.value?.address !== now.address) return;
    if (next !== journey) advanceJourney(now, next);
  }
}

const adopted = new Set<Hex>();

/** Adds operations that were sent from elsewhere, and are still under way. */
async function adopt(now: Session): Promise<void> {
  const account = mainAccount(holdings.value);
  if (account === null) return;
  const recent = await listOperations(now.client, account.id, { limit: 10 });
  const known = new Set(journeys.value.map(({ hash }) => hash));
  for (const operation of recent) {
    if (operation.hash === null || known.has(operation.hash) || adopted.has(operation.hash)) continue;
    adopted.add(operation.hash);
    const journey = operation.a === account.id ? journeyOf(operation) : null;
    if (journey !== null) keepJourney(now, journey);
  }
}

function journeyOf({
  kind,
  hash,
  b,
  words,
  amountCode,
  status,
  acknowledgedAtMs,
}: LedgerOperation): Journey | null {
  if (status === "final" || status === "dropped") return null;
  const startedAtMs = acknowledgedAtMs ?? Date.now();
  const common = { id: hash, hash, startedAtMs, reachedAtMs: { signed: startedAtMs }, expectedAtMs: {} };
  if (kind === "withdraw") return { ...common, kind, amountWei: words[1]! };
  if (kind === "transfer") return { ...common, kind, amountWei: decodeAmount(amountCode), toLeaf: b };
  if (kind === "payInference") {
    const receipt = toHex(words[0]!, { size: 32 });
    return { ...common, kind: "answer", amountWei: decodeAmount(amountCode), toLeaf: b, receipt };
  }
  return null;
}
