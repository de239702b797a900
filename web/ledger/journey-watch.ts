/** Keeps holdings and journeys of the connected address up to date, one look after the other. */

import { decodeAmount } from "@openledger/circuits/ledger/amount-float";
import { listOperations } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerOperation } from "@openledger/client/sequencer/sequencer-schemas";
import { signal } from "@preact/signals";
import { type Hex, toHex } from "viem";
import { type Problem, problemOf } from "../words/problem.tsx";
import { advance } from "./advance.ts";
import { holdings, mainAccount, refreshHoldings } from "./holdings.ts";
import { isOver, type Journey } from "./journey.ts";
import { journeys, keepJourney } from "./journey-store.ts";
import type { Live } from "./live.ts";
import { type Session, session } from "./session.ts";

/** Why the last look at the address failed; null where it did not. */
export const lookProblem = signal<Problem | null>(null);

let isAtWork = false;
let isAskedAgain = false;

/** One look at everything of the address. Calls that come meanwhile cause one more. */
export async function lookAfter(live: Live): Promise<void> {
  isAskedAgain = true;
  if (isAtWork) return;
  isAtWork = true;
  try {
    while (isAskedAgain) {
      isAskedAgain = false;
      await lookOnce(live);
    }
    lookProblem.value = null;
  } catch (error) {
    lookProblem.value = problemOf(error);
  } finally {
    isAtWork = false;
  }
}

async function lookOnce(live: Live): Promise<void> {
  const now = session.value;
  const status = live.status.value;
  if (now === null || status === null) return;
  await refreshHoldings(now);
  if (session.value?.address !== now.address) return;
  await adopt(now);
  const pendingWei = holdings.value!.l1.pendingWei;
  for (const journey of journeys.value.filter((one) => !isOver(one))) {
    const next = await advance(now.client, journey, status, pendingWei);
    if (session.value?.address !== now.address) return;
    if (next !== journey) keepJourney(now, next);
  }
}

const adopted = new Set<Hex>();

/** What was sent from elsewhere, and is still under way, is shown here, too. */
async function adopt(now: Session): Promise<void> {
  const account = mainAccount(holdings.value);
  if (account === null) return;
  const recent = await listOperations(now.client, account.id, { limit: 10 });
  const known = new Set(journeys.value.map(({ hash }) => hash));
  for (const operation of recent) {
    if (known.has(operation.hash) || adopted.has(operation.hash)) continue;
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
