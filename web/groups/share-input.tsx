/** Field that reads a member's file of their share into the page's memory. */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { Charter, GroupMember } from "@openledger/client/groups/group-charter";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import { openShare } from "@openledger/client/groups/open-share";
import { type LedgerClient, requireL2Key } from "@openledger/client/ledger-client";
import { useAction } from "../bridge/use-action.ts";
import { ProblemNotice } from "../words/problem.tsx";

/** Files of shares are smaller: sixteen confirmations and a key. */
const MAX_FILE_BYTES = 262_144;

interface ShareInputProps {
  readonly client: LedgerClient;
  /** Host that has the confirmations of a setup, where the file was saved before all had confirmed. */
  readonly hostUrl: string;
  readonly onShare: (share: { member: GroupMember; place: string }) => void;
}

/** The file stays on the visitor's machine; nothing of it is sent or stored. */
export function ShareInput({ client, hostUrl, onShare }: ShareInputProps) {
  const { problem, run } = useAction();
  const read = (file: File) =>
    run(async () => {
      await initPoseidon();
      // What is no file of a share is refused by its form.
      const text = file.size > MAX_FILE_BYTES ? "" : await file.text();
      const mailboxOf = (charter: Charter) => hostMailbox(client, { hostUrl, members: takingPart(charter) });
      onShare(await openShare(client, text, { key: requireL2Key(client), mailboxOf }));
    });
  return (
    <div class="stack-s">
      <label class="field">
        <span>Your share's file</span>
        <input
          type="file"
          accept=".json,application/json"
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            if (file !== undefined) void read(file);
          }}
        />
      </label>
      <p class="soft small">It is read in this page's memory, and forgotten when you close or reload it.</p>
      {problem !== null && <ProblemNotice problem={problem} />}
    </div>
  );
}
