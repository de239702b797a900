/**
 * Label that a row brings in its own JSON, if the Datanet's card knows it. client/datanets/reviewed-version.ts leaves a row out
 * of a version if it differs from the accepted label.
 */
import type { Card } from "../card/card.ts";

/**
 * The label that is in a row itself, as far as it is one of the card's; null if there is none. Anyone who publishes
 * asks it, and anyone who checks what was published.
 */
export function ownLabel({ labels, row }: Pick<Card, "row" | "labels">, content: Uint8Array): string | null {
  if (row.kind !== "email" && row.kind !== "digit") return null;
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content)) as unknown;
    const rowLabel = (value as { readonly label?: unknown } | null)?.label;
    return labels.find(({ name }) => name === rowLabel)?.name ?? null;
  } catch {
    return null;
  }
}
