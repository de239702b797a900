/** Badge of a row's outcome (accepted label, disputed, left out, waiting) on the tabs of a Datanet's page. */
import type { HostedOutcome } from "@openledger/client/datanets/row-schemas";
import { Badge } from "../design/badge.tsx";

/** Outcome of a row. @param own the label that its contributor gave, if there is no other */
export function OutcomeBadge({ outcome, own }: { outcome: HostedOutcome; own: string | null }) {
  switch (outcome.state) {
    case "accepted":
      return <Badge tone="good">{outcome.label}</Badge>;
    case "disputed":
      return <Badge tone="wait">disputed</Badge>;
    case "leftOut":
      return <Badge tone="bad">{outcome.why}</Badge>;
    case "waiting":
      return <Badge tone="plain">{own === null ? "waits" : `${own}?`}</Badge>;
    default:
      return outcome satisfies never;
  }
}
