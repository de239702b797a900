/** Amount of OPEN as all pages show it. */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { showOpen } from "./format.ts";

interface OpenProps {
  readonly wei: bigint;
  /** Shown instead of the amount alone: it adds up with others, as `showParts` has them. */
  readonly shown?: string | undefined;
  /** The unit is elsewhere, in the head of a column for example. */
  readonly isBare?: boolean;
}

/** An amount as people read it; its title has it to the last wei. */
export function Open({ wei, shown = showOpen(wei), isBare = false }: OpenProps) {
  return (
    <span class="amount" title={`${formatOpen(wei)} OPEN`}>
      {shown}
      {!isBare && " OPEN"}
    </span>
  );
}
