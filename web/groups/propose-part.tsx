/** Part of a Datanet's page where a group owns it: opens the visitor's share, and says what waits for the other members. */
import { groupInvalid } from "@openledger/client/groups/frost-suite";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { useState } from "preact/hooks";
import { useAction } from "../bridge/use-action.ts";
import { Button } from "../design/button.tsx";
import { Notice } from "../design/notice.tsx";
import { isOwnKey, type TabProps } from "../hosts/tab-props.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { closeGroup, type OpenGroup, openGroupOf, waitingProposals } from "./open-group.ts";
import type { ShareInput } from "./share-input.tsx";

type ProposeProps = Pick<TabProps, "facts" | "place" | "visitor">;

/** Nothing for visitors without a key, and for the Datanet's own key. */
export function ProposePart(props: ProposeProps) {
  const { facts, visitor } = props;
  const { client } = visitor;
  if (client === null || isOwnKey(props)) return null;
  const group = openGroupOf(client, BigInt(facts.ledger.keyX));
  return group === null ? (
    <OpenShare {...props} client={client} />
  ) : (
    <Proposing datanetId={facts.id} group={group} />
  );
}

function OpenShare({ client, facts, place }: ProposeProps & { client: LedgerClient }) {
  const [loaded, setLoaded] = useState<{ Input: typeof ShareInput } | null>(null);
  const { problem, run } = useAction();
  const load = () =>
    run(async () => {
      if (loaded === null) setLoaded({ Input: (await import("./share-input.tsx")).ShareInput });
    });
  return (
    <details onToggle={() => void load()}>
      <summary>Does a group own this Datanet? Propose to it</summary>
      <div class="stack-s narrow">
        <p class="soft small">
          With your share of the group's key this page proposes versions, cards and approvals. They are sent
          once enough members have signed.
        </p>
        {loaded !== null && (
          <loaded.Input
            client={client}
            hostUrl={place.hostUrl}
            onShare={(share) =>
              void run(async () => {
                const { openGroup } = await import("./share-group.ts");
                const group = openGroup(share, place.hostUrl);
                if (group.keyX === BigInt(facts.ledger.keyX)) return;
                closeGroup(group);
                throw groupInvalid("other-leaf", `leaf ${facts.id} has another key than this group's`);
              })
            }
          />
        )}
        {problem !== null && <ProblemNotice problem={problem} />}
      </div>
    </details>
  );
}

function Proposing({ datanetId, group }: { datanetId: number; group: OpenGroup }) {
  const waiting = waitingProposals.value.filter(({ leafId }) => leafId === datanetId);
  return (
    <section aria-label="Your group">
      <Notice
        tone={waiting.length > 0 ? "wait" : "info"}
        title={
          waiting.length > 0
            ? `Proposed to ${group.name}: waits for signatures`
            : `You propose to ${group.name}: ${group.threshold} of ${group.memberCount} sign`
        }
      >
        {waiting.length > 0 ? (
          <p role="status">
            Keep this page open until {new Date(waiting.at(-1)!.untilMs).toLocaleTimeString()}: it sends what
            enough members have signed. They sign at <a href="#/groups">Own a key together</a>.
          </p>
        ) : (
          <p>What you sign for this Datanet here is a proposal, which waits for the others.</p>
        )}
        {waiting.length === 0 && (
          <Button isSmall onClick={() => closeGroup(group)}>
            Stop proposing
          </Button>
        )}
      </Notice>
    </section>
  );
}
