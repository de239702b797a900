/** Form that makes an operation of a leaf the Safe's transaction, or the allowance for the queue's fees. Amounts are in wei. */
import { rollupContract, tokenContract } from "@openledger/client/ledger-client";
import type { Safe } from "@openledger/client/safe/read-safe";
import type { SafeProposal } from "@openledger/client/safe/safe-transaction";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { SKIP_RECOMPUTATION } from "@openledger/client/tasks/approve-model";
import { proposeAllowance, proposeBySafe } from "@openledger/client/tasks/own-by-safe";
import { useState } from "preact/hooks";
import { fetchPublished } from "../ask/served-models.ts";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Check, Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { KIND_NAMES } from "../explorer/leaf-kinds.ts";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { OPERATIONS, type OperationType, presentVersion, readOperation } from "./operation-fields.ts";
import { proposals, storeProposal } from "./proposal-store.ts";

interface ProposeFormProps extends Pick<PageProps, "live" | "site"> {
  readonly safe: Safe;
  readonly leaves: readonly LedgerLeaf[];
}

/** Entries at the present fee that an allowance is for, unless somebody types another amount. */
const ALLOWED_ENTRIES = 10n;

export function ProposeForm(props: ProposeFormProps) {
  const { live, safe } = props;
  const { client } = session.value!;
  const fees = useAnswer(live, `fees of ${safe.address}`, async () => {
    const token = tokenContract(client);
    const [feeWei, balanceWei, allowanceWei] = await Promise.all([
      client.l1.readContract({ ...rollupContract(client), functionName: "queueFeeWei" }),
      client.l1.readContract({ ...token, functionName: "balanceOf", args: [safe.address] }),
      client.l1.readContract({
        ...token,
        functionName: "allowance",
        args: [safe.address, client.rollupAddress],
      }),
    ]);
    return { feeWei, balanceWei, allowanceWei };
  });
  /** Behind the Safe's next transaction and all that wait here. */
  const nonce = Math.max(safe.nonce, ...proposals.value.map((one) => one.nonce + 1));
  const isLacking = fees.value !== undefined && fees.value.allowanceWei < 2n * fees.value.feeWei;
  return (
    <section class="card stack" aria-label="Propose">
      <h2>Propose</h2>
      {fees.value !== undefined && (
        <p class="soft">
          An entry of Ethereum's queue burns <Open wei={fees.value.feeWei} /> now. The Safe has{" "}
          <Open wei={fees.value.balanceWei} /> on Ethereum, and lets the rollup take{" "}
          <Open wei={fees.value.allowanceWei} /> of it.
        </p>
      )}
      {fees.value !== undefined && isLacking && (
        <AllowanceForm {...props} nonce={nonce} feeWei={fees.value.feeWei} />
      )}
      <OperationForm {...props} nonce={nonce} />
    </section>
  );
}

type NumberedProps = ProposeFormProps & { readonly nonce: number };

function AllowanceForm({ feeWei, live, nonce, safe }: NumberedProps & { readonly feeWei: bigint }) {
  const [text, setText] = useState(() => formatOpen(ALLOWED_ENTRIES * feeWei));
  const action = useAction();
  const propose = () =>
    action.run(async () => {
      const { client } = session.value!;
      const amountWei = parseOpen(text.trim());
      storeProposal(
        live.info.value!,
        await proposeAllowance(client, { safe: safe.address, amountWei, nonce }),
      );
    });
  return (
    <Notice tone="wait" title="First let the rollup take its fees from the Safe.">
      <Field label="OPEN for fees" value={text} onInput={setText} inputMode="decimal" />
      <Button isSmall isBusy={action.isBusy} onClick={() => void propose()}>
        Propose the allowance
      </Button>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </Notice>
  );
}

function OperationForm({ leaves, live, nonce: nextNonce, safe, site }: NumberedProps) {
  const [type, setType] = useState<OperationType>("setKey");
  const [leafText, setLeaf] = useState("");
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const [nonceText, setNonce] = useState("");
  const [isSkipping, setSkipping] = useState(false);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const action = useAction();
  const { fields, kinds } = OPERATIONS[type];
  const able = leaves.filter(({ kind }) => kinds.includes(kind));
  const leaf = able.find(({ id }) => String(id) === leafText) ?? able[0];
  const present = type === "publishVersion" && leaf !== undefined ? presentVersion(leaf) : {};
  const textOf = (name: string) => texts[name] ?? present[name] ?? (name === "role" ? "contributor" : "");
  const set = (name: string, value: string) => setTexts((now) => ({ ...now, [name]: value }));
  const nonce = /^\d{1,9}$/.test(nonceText.trim()) ? Number(nonceText) : nextNonce;
  const propose = () => {
    const values = Object.fromEntries(fields.map(({ name }) => [name, textOf(name)]));
    const read = readOperation(type, leaf?.id ?? null, values, {
      askHost: async (ask) => (site.datanetHosts[0] === undefined ? null : ask(site.datanetHosts[0])),
      hostUrls: site.datanetHosts,
      readPublished: async () => (await fetchPublished(site, Number(values["modelId"]))).published,
      skipRecomputation: isSkipping,
    });
    setProblems("problems" in read ? read.problems : {});
    if ("problems" in read) return;
    void action.run(async () => {
      const { operation } = read;
      const proposed: SafeProposal = await proposeBySafe(session.value!.client, {
        safe: safe.address,
        operation,
        nonce,
      });
      storeProposal(live.info.value!, proposed);
      setTexts({});
      setNonce("");
    });
  };
  return (
    <>
      <Choice
        label="Operation"
        value={type}
        options={(Object.keys(OPERATIONS) as OperationType[]).map((name) => ({
          name,
          label: OPERATIONS[name].label,
        }))}
        onChoose={(chosen) => {
          setType(chosen);
          setTexts({});
          setProblems({});
        }}
      />
      {kinds.length > 0 && (
        <Choice
          label="Of"
          value={leaf === undefined ? "" : String(leaf.id)}
          options={able.map(({ id, kind }) => ({ name: String(id), label: `${KIND_NAMES[kind]} ${id}` }))}
          onChoose={setLeaf}
          problem={problems["id"] ?? null}
        />
      )}
      {fields.map(({ form, help, label, name }) =>
        form === "role" ? (
          <Choice
            key={name}
            label={label}
            value={textOf(name)}
            options={["contributor", "validator"].map((role) => ({ name: role, label: role }))}
            onChoose={(value) => set(name, value)}
          />
        ) : (
          <Field
            key={name}
            label={label}
            value={textOf(name)}
            onInput={(value) => set(name, value)}
            help={help}
            problem={problems[name] ?? null}
            isDisabled={action.isBusy}
          />
        ),
      )}
      {type === "approveModel" && (
        <Check
          label="Approve without a recomputation"
          help={SKIP_RECOMPUTATION}
          isChecked={isSkipping}
          onCheck={setSkipping}
        />
      )}
      <Field
        label="Nonce"
        value={nonceText}
        onInput={setNonce}
        placeholder={String(nextNonce)}
        help="Empty: behind all that wait. The nonce of a waiting proposal: in its place."
        isDisabled={action.isBusy}
      />
      <Button isMain isBusy={action.isBusy} onClick={propose}>
        Propose
      </Button>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </>
  );
}
