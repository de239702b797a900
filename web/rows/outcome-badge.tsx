/** Badge of a row's outcome (accepted label, disputed, left out, waiting) on the tabs of a Datanet's page. */
import type { HostedOutcome } from "@openledger/client/datanets/row-schemas";
import { Badge } from "../design/badge.tsx";

/** Outcome of a row; nothing where it needs no label. */
export function OutcomeBadge({ outcome }: { outcome: HostedOutcome }) {
  switch (outcome.state) {
    case "accepted":
      return outcome.label === null ? null : <Badge tone="good">{outcome.label}</Badge>;
    case "disputed":
      return <Badge tone="wait">disputed</Badge>;
    case "leftOut":
      return <Badge tone="bad">{outcome.why}</Badge>;
    case "waiting":
      return <Badge tone="plain">waits</Badge>;
    default:
      return outcome satisfies never;
  }
}
