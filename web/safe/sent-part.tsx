/** Input for a proposal with its signatures, as text or a file, or for one signature, from another owner. Each is checked before it counts. */
import type { Safe } from "@openledger/client/safe/read-safe";
import { safeTxHashOf } from "@openledger/client/safe/safe-transaction";
import { addSafeSignatures, takeSafeProposal } from "@openledger/client/tasks/own-by-safe";
import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { DropFiles } from "../design/drop-files.tsx";
import { Field } from "../design/field.tsx";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { proposals, storeProposal } from "./proposal-store.ts";

/** Maximum bytes of a file that is read. */
const MAX_FILE_BYTES = 65_536;
const isSignature = (text: string) => /^0x[0-9a-fA-F]{130}$/.test(text.trim());

export function SentPart({ live, safe }: Pick<PageProps, "live"> & { readonly safe: Safe }) {
  const [text, setText] = useState("");
  const [about, setAbout] = useState("");
  const action = useAction();
  const all = proposals.value;
  const chosen = all.find((one) => safeTxHashOf(one) === about) ?? all[0];
  const take = (input: string) =>
    action.run(async () => {
      const { client } = session.value!;
      if (!isSignature(input)) {
        const sent = { text: input.trim() };
        storeProposal(live.info.value!, await takeSafeProposal(client, { safe: safe.address, sent }));
      } else if (chosen !== undefined) {
        storeProposal(live.info.value!, await addSafeSignatures(client, { proposal: chosen, text: input }));
      }
      setText("");
    });
  return (
    <section class="card stack" aria-label="Sent by another owner">
      <h2>Add what another owner has sent</h2>
      <Field
        label="Proposal or signature"
        value={text}
        onInput={setText}
        lineCount={4}
        help="The text that their page copies, or a signature in hex."
        isDisabled={action.isBusy}
      />
      {isSignature(text) && all.length > 1 && (
        <Choice
          label="For"
          value={chosen === undefined ? "" : safeTxHashOf(chosen)}
          options={all.map((one) => ({ name: safeTxHashOf(one) as string, label: `nonce ${one.nonce}` }))}
          onChoose={setAbout}
        />
      )}
      <div class="row">
        <Button isBusy={action.isBusy} isDisabled={text.trim() === ""} onClick={() => void take(text)}>
          Check and add
        </Button>
      </div>
      <DropFiles
        title="Or a file"
        help="JSON, as their page saves it."
        accept=".json,application/json"
        onFiles={([file]) => {
          if (file !== undefined)
            void file
              .slice(0, MAX_FILE_BYTES + 1)
              .text()
              .then(take);
        }}
      />
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </section>
  );
}
