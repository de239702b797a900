/** The visitor's group, by the file of their share: what it owns, and what waits for signatures, in full. */
import { describeProposal } from "@openledger/client/groups/describe";
import { type GroupMember, groupKeyX } from "@openledger/client/groups/group-charter";
import { checkProposal, cosign } from "@openledger/client/groups/group-client";
import type { ListingMailbox } from "@openledger/client/groups/group-messages";
import {
  findGroupProposal,
  type GroupProposal,
  proposalSession,
} from "@openledger/client/groups/group-proposal";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { useEffect, useState } from "preact/hooks";
import { useAction } from "../bridge/use-action.ts";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Identifier } from "../design/identifier.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { FoundGroup } from "./found-group.tsx";
import { mailHostOf, openGroup, type Share } from "./share-group.ts";
import { ShareInput } from "./share-input.tsx";

/** Time between two looks into the mailbox, in milliseconds. */
const LOOK_MS = 3_000;

type OwnGroupProps = Pick<PageProps, "live" | "site"> & {
  readonly client: LedgerClient;
  readonly hostUrl: string;
};

export function OwnGroup(props: OwnGroupProps) {
  const [own, setOwn] = useState<Share | null>(null);
  const { client, hostUrl } = props;
  const openShare = (share: Share) => {
    openGroup(share, hostUrl);
    setOwn(share);
  };
  if (own === null)
    return (
      <section class="card stack narrow" aria-label="Your group">
        <h2>Open your group</h2>
        <ShareInput client={client} hostUrl={hostUrl} onShare={openShare} />
      </section>
    );
  return <Opened {...props} {...own} />;
}

function Opened(props: OwnGroupProps & Share) {
  const { client, live, member, place, site } = props;
  const [isReplacing, setReplacing] = useState(false);
  const { charter } = member.group;
  const keyX = groupKeyX(member.keys);
  const hostUrl = mailHostOf({ place }, props.hostUrl);
  const mailbox = hostMailbox(client, { hostUrl, members: takingPart(charter) });
  const leaves = useAnswer(live, `leaves of ${keyX}`, () =>
    findLeaves(site.sequencer, { keyX: BigInt(keyX) }),
  );
  if (isReplacing) return <FoundGroup client={client} hostUrl={hostUrl} old={member} />;
  return (
    <>
      <section class="card stack" aria-label="Your group">
        <h2>{charter.name}</h2>
        <dl class="facts">
          <dt>Signs with</dt>
          <dd>
            {charter.threshold} of {charter.members.length}
          </dd>
          <dt>Members</dt>
          <dd>
            {charter.members.map(({ leafId }) => (
              <span key={leafId}>
                <LeafLink id={leafId} />{" "}
              </span>
            ))}
          </dd>
          <dt>Key</dt>
          <dd>
            <Identifier value={keyX} label="the group's key" />
          </dd>
          <dt>Owns</dt>
          <dd>
            {leaves.value?.length === 0 ? "nothing yet" : null}
            {leaves.value?.map(({ id }) => (
              <span key={id}>
                <LeafLink id={id} />{" "}
              </span>
            ))}
          </dd>
        </dl>
        <div class="row">
          <Button isSmall onClick={() => setReplacing(true)}>
            Replace members
          </Button>
        </div>
      </section>
      <Proposals client={client} member={member} mailbox={mailbox} />
    </>
  );
}

type MailProps = {
  readonly client: LedgerClient;
  readonly member: GroupMember;
  readonly mailbox: ListingMailbox;
};

interface Open {
  readonly session: string;
  readonly proposal: GroupProposal;
  /** Members who have agreed so far. */
  readonly agreedCount: number;
}

/** Proposals whose time is not over, looked for while the page is open. */
function Proposals({ client, mailbox, member }: MailProps) {
  const [open, setOpen] = useState<readonly Open[] | null>(null);
  const { problem, run } = useAction();
  useEffect(() => {
    let isOver = false;
    const look = async () => {
      await run(async () => {
        const found = await openProposals(member, mailbox);
        if (!isOver) setOpen(found);
      });
      if (!isOver) timer = setTimeout(look, LOOK_MS);
    };
    let timer = setTimeout(look, 0);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, []);
  return (
    <section class="card stack" aria-label="Proposals">
      <h2>Waits for signatures</h2>
      {problem !== null && <ProblemNotice problem={problem} />}
      {open === null && problem === null && <p class="soft">Loading …</p>}
      {open?.length === 0 && (
        <p class="soft">
          Nothing. A member proposes on the pages of a Datanet that the group owns (versions, card, models),
          or by any command that signs for it, for example <code>openledger datanet publish</code>.
        </p>
      )}
      {open?.map((one) => (
        <Proposal key={one.session} {...one} client={client} member={member} mailbox={mailbox} />
      ))}
    </section>
  );
}

function Proposal({ agreedCount, client, mailbox, member, proposal }: MailProps & Open) {
  const [isSigned, setSigned] = useState(false);
  const { isBusy, problem, run } = useAction();
  const { threshold } = member.group.charter;
  const isOwn = proposal.proposer === member.keyX;
  const sign = () =>
    run(async () => {
      await checkProposal(client, member, proposal);
      await cosign(client, { member, mailbox, pollMs: 1_000 }, proposal);
      setSigned(true);
    });
  return (
    <div class="stack-s">
      <ul class="group-lines">
        {describeProposal(proposal).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <div class="row">
        <Badge tone={agreedCount >= threshold || isSigned ? "good" : "wait"}>
          {isSigned ? "signed" : `${Math.min(agreedCount, threshold)} of ${threshold} agree`}
        </Badge>
        <span class="push" />
        {!isOwn && !isSigned && (
          <Button isMain isBusy={isBusy} onClick={() => void sign()}>
            Sign this
          </Button>
        )}
      </div>
      {isSigned && <p role="status">The group has signed. The member who proposed it sends it.</p>}
      {problem !== null && <ProblemNotice problem={problem} />}
    </div>
  );
}

async function openProposals(member: GroupMember, mailbox: ListingMailbox): Promise<Open[]> {
  const found: Open[] = [];
  for (const session of await mailbox.sessions()) {
    try {
      const proposal = await findGroupProposal(member, mailbox, session);
      if (proposal.untilMs <= Date.now()) continue;
      const messages = (await mailbox.read(session)) as readonly { step?: unknown }[];
      const agreedCount = messages.filter(({ step }) => step === "commit").length;
      found.push({ session: proposalSession(proposal), proposal, agreedCount });
    } catch (error) {
      // A setup, or a proposal to a set that was replaced.
      if (!isRollupError(error, "CLI_GROUP_INVALID")) throw error;
    }
  }
  return found;
}
