/** Invitation to a group: its charter in full, to agree to; then the setup. */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { describeCharter } from "@openledger/client/groups/describe";
import type { Charter, GroupMember } from "@openledger/client/groups/group-charter";
import { findCharter } from "@openledger/client/groups/host-mailbox";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { useState } from "preact/hooks";
import type { Hex } from "viem";
import { useAction } from "../bridge/use-action.ts";
import { Button } from "../design/button.tsx";
import { useLoad } from "../hosts/use-load.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { checkMembers, isDealer } from "./group-setup.ts";
import { SetupPart } from "./setup-part.tsx";
import { ShareInput } from "./share-input.tsx";

interface JoinGroupProps {
  readonly client: LedgerClient;
  readonly hostUrl: string;
  /** Name of the setup. */
  readonly session: string;
}

export function JoinGroup({ client, hostUrl, session }: JoinGroupProps) {
  const loaded = useLoad(session, async () => {
    await initPoseidon();
    return findCharter(client, hostUrl, session as Hex);
  });
  if (loaded.problem !== null) return <ProblemNotice problem={loaded.problem} />;
  if (loaded.value === undefined) return <p class="soft">Loading the charter …</p>;
  return <Invitation client={client} hostUrl={hostUrl} charter={loaded.value} />;
}

function Invitation({ charter, client, hostUrl }: Omit<JoinGroupProps, "session"> & { charter: Charter }) {
  const [old, setOld] = useState<GroupMember | null>(null);
  const [hasAgreed, setAgreed] = useState(false);
  const { isBusy, problem, run } = useAction();
  const deals = isDealer(client, charter);
  const agree = () =>
    run(async () => {
      await checkMembers(client, charter);
      setAgreed(true);
    });
  if (hasAgreed) return <SetupPart client={client} hostUrl={hostUrl} charter={charter} old={old} />;
  return (
    <section class="card stack" aria-label="Invitation">
      <h2>{charter.previous === null ? "Join this group?" : "Take part in this replacement?"}</h2>
      <ul class="group-lines">
        {describeCharter(charter).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {deals && (
        <>
          <p>
            <strong>You would give your share of the key to these members.</strong> As many dealers as sign
            can give the key to anyone: compare the members with what you have agreed on.
          </p>
          <ShareInput client={client} hostUrl={hostUrl} onShare={({ member }) => setOld(member)} />
        </>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      <Button isMain isBusy={isBusy} isDisabled={deals && old === null} onClick={() => void agree()}>
        {deals ? "Deal my share to these members" : "Join"}
      </Button>
    </section>
  );
}
