/** Gate of the tabs that read rows: open for public Datanets, else for the owner, the team, and readers with a grant. */
import { getStanding } from "@openledger/client/datanets/label-turns";
import type { ComponentChildren } from "preact";
import { showTime } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { NeedsKey } from "./keys/needs-key.tsx";
import { datanetHref, type TabProps } from "./tab-props.ts";
import { useLoad } from "./use-load.ts";

/** Shown before the rows of a permissioned Datanet: they need a key, and the owner's grant. */
export function NeedsAccess(props: TabProps & { children: ComponentChildren }) {
  if (props.facts.card.access === "public") return <>{props.children}</>;
  return (
    <NeedsKey {...props} toDo="read these rows">
      {() => <Granted {...props} />}
    </NeedsKey>
  );
}

function Granted(props: TabProps & { children: ComponentChildren }) {
  const { children, facts, place, visitor } = props;
  const { labelling } = facts.card;
  const { problem, value } = useLoad(`${visitor.client!.leafId}/${facts.here.recordCount}`, () =>
    getStanding(visitor.client!, place),
  );
  if (value === undefined)
    return problem === null ? <p class="soft">Loading …</p> : <ProblemNotice problem={problem} />;
  const isOfTeam =
    value.isOwner ||
    value.mayReview ||
    (labelling.labellers !== "anyone" && labelling.labellers.includes(value.leafId));
  const isOwnersWallet = visitor.account!.l1Owner.toLowerCase() === facts.ledger.l1Owner.toLowerCase();
  const isGranted = value.grantedUntilMs !== null && value.grantedUntilMs > Date.now();
  if (isOfTeam || isGranted || isOwnersWallet) return <>{children}</>;
  return (
    <section class="card stack narrow">
      <h2>Access to these rows is on request</h2>
      <p class="soft">
        {value.grantedUntilMs === null
          ? "Say what you need them for. The owner replies, and the reply is public."
          : `Your access expired at ${showTime(value.grantedUntilMs)}.`}
      </p>
      <a class="button button-main" href={datanetHref(facts.id, "access")}>
        Ask for access
      </a>
    </section>
  );
}
