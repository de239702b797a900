/** Field that reads a member's file of their share into the page's memory. */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { groupInvalid } from "@openledger/client/groups/frost-suite";
import { type GroupMember, readCharter, readMember } from "@openledger/client/groups/group-charter";
import { completeSetup } from "@openledger/client/groups/group-setup";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import { decodeShareFile } from "@openledger/client/groups/share-file";
import { type LedgerClient, requireL2Key } from "@openledger/client/ledger-client";
import { hex32 } from "@openledger/foundation/hex";
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
      const content = file.size > MAX_FILE_BYTES ? null : decodeShareFile(await file.text());
      if (content === null) throw groupInvalid("share-damaged", "the file holds no share, or is cut off");
      await initPoseidon();
      const charter = readCharter(client.domain, content.member.group.charter);
      const mailbox = hostMailbox(client, { hostUrl, members: takingPart(charter) });
      const isFinished = (content.member.group["confirmations"] as unknown[] | undefined)?.length !== 0;
      const member = isFinished
        ? readMember(client.domain, content.member)
        : await completeSetup(client.domain, content.member, mailbox);
      if (member.keyX !== hex32(requireL2Key(client).keyX))
        throw groupInvalid("other-key", "the share is another account's");
      onShare({ member, place: content.mailbox });
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
      <p class="soft small">It is read in this page's memory, and forgotten when you leave.</p>
      {problem !== null && <ProblemNotice problem={problem} />}
    </div>
  );
}
