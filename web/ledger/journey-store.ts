/** The journeys of the connected address. They outlive the page: a list in the browser's storage for each address. */
import { signal } from "@preact/signals";
import { isOver, type Journey, journeySchema } from "./journey.ts";
import type { Session } from "./wallets.ts";

/** Ended ones beyond these are forgotten. */
const KEPT_ENDED = 12;

export const journeys = signal<readonly Journey[]>([]);

const keyOf = ({ address, client }: Session) =>
  `openledger.journeys.${client.chain.id}.${client.rollupAddress}.${address}`;

/** Takes up what an earlier visit left; what cannot be read is left out. */
export function loadJourneys(session: Session): void {
  journeys.value = readAll(session);
}

function readAll(session: Session): Journey[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(session)) ?? "[]");
    if (!Array.isArray(kept)) return [];
    return kept.flatMap((entry) => {
      const parsed = journeySchema.safeParse(entry);
      return parsed.success ? [parsed.data as Journey] : [];
    });
  } catch {
    return [];
  }
}

/** Adds a journey or replaces it, and keeps it before anything else happens. */
export function keepJourney(session: Session, journey: Journey): void {
  // Read again: another tab of the same page may have added to the list.
  const others = readAll(session).filter(({ id }) => id !== journey.id);
  const all = [journey, ...others].sort((a, b) => b.startedAtMs - a.startedAtMs);
  let endedCount = 0;
  const kept = all.filter((one) => !isOver(one) || ++endedCount <= KEPT_ENDED);
  const text = JSON.stringify(kept, (_key, value) => (typeof value === "bigint" ? value.toString() : value));
  localStorage.setItem(keyOf(session), text);
  journeys.value = kept;
}

export function forgetJourney(session: Session, id: string): void {
  const kept = readAll(session).filter((journey) => journey.id !== id);
  localStorage.setItem(
    keyOf(session),
    JSON.stringify(kept, (_key, value) => (typeof value === "bigint" ? value.toString() : value)),
  );
  journeys.value = kept;
}
