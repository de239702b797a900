/**
 * Page "#/datanets/new": a person writes a card, opens a Datanet in the ledger with their key, and brings the card to a host.
 * The first balance is typed in OPEN.
 */
import { createDatanet } from "@openledger/client/actions/ledger/datanet-operations";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { estimateFees, likelyFeeWei } from "@openledger/client/sequencer/fees";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { setCard } from "@openledger/client/tasks/publish-card";
import type { NamedCard } from "@openledger/datanets/card/card";
import { useEffect, useState } from "preact/hooks";
import { Choice } from "../design/choice.tsx";
import { Field } from "../design/field.tsx";
import { NeedsKey } from "../hosts/keys/needs-key.tsx";
import type { Visitor } from "../hosts/keys/visitor.ts";
import { datanetHref } from "../hosts/tab-props.ts";
import type { PageProps } from "../ledger/page.ts";
import { rollupKey, rollupOf } from "../ledger/rollup-storage.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showOpen } from "../words/format.ts";
import { BeginWithFiles } from "./begin-with-files.tsx";
import { type CardDraft, EMPTY_DRAFT, sayOpeningCost } from "./card-draft.ts";
import { CardForm } from "./card-form.tsx";
import { carryFiles } from "./contribute/chosen-files.ts";

/**
 * Storage key of the draft. It survives a reload of this tab, as does a Datanet that was opened and has no card yet.
 */
const draftKey = (client: LedgerClient) => rollupKey("new-datanet", rollupOf(client));

interface Begun {
  readonly draft: CardDraft;
  readonly datanetId: number | null;
}

function readOpen(text: string): bigint | null {
  try {
    return parseOpen(text);
  } catch {
    return null;
  }
}

/** @param contact place where people reach the owner, unless there is a better one */
function readBegun(client: LedgerClient, contact: string): Begun {
  const empty = { ...EMPTY_DRAFT, contact };
  try {
    const storedDraft = JSON.parse(sessionStorage.getItem(draftKey(client)) ?? "{}") as Partial<Begun>;
    return { draft: { ...empty, ...storedDraft.draft }, datanetId: storedDraft.datanetId ?? null };
  } catch {
    // Nothing of ours is there.
    return { draft: empty, datanetId: null };
  }
}

/** New Datanet: its card, its leaf in the ledger, and its place at a host. */
export function NewCard(props: PageProps & { visitor: Visitor }) {
  return (
    <>
      <section class="stack">
        <p class="small">
          <a href="#/datanets">Datanets</a> <span class="soft">/ new</span>
        </p>
        <h1>A new Datanet</h1>
        <p class="lead">
          Describe the data and what a row is. You can change the card later; every change is signed and
          public.
        </p>
      </section>
      <NeedsKey {...props} toDo="open a Datanet">
        {(client) => <Form {...props} client={client} />}
      </NeedsKey>
    </>
  );
}

function Form({ client, live, site, visitor }: PageProps & { visitor: Visitor; client: LedgerClient }) {
  const [begun, setBegun] = useState(() => readBegun(client, visitor.account!.l1Owner));
  const [balance, setBalance] = useState("2");
  const [hostUrl, setHostUrl] = useState(site.datanetHosts[0] ?? "");
  const [files, setFiles] = useState<readonly File[]>([]);
  const action = useAction();
  const fees = useAnswer(live, "fees", () => estimateFees(site.sequencer)).value;
  const info = live.info.value;
  const cost =
    info === null
      ? null
      : sayOpeningCost(
          {
            idFeeWei: info.idFeeWei,
            feeWei: fees === undefined ? null : likelyFeeWei(fees, "createDatanet"),
            balanceWei: readOpen(balance),
          },
          showOpen,
        );
  useEffect(() => sessionStorage.setItem(draftKey(client), JSON.stringify(begun)), [begun]);
  const submit = ({ card }: NamedCard) =>
    void action.run(async () => {
      const from = client.leafId!;
      let { datanetId } = begun;
      if (datanetId === null) {
        const { hash } = await createDatanet(client, {
          from,
          l1Owner: visitor.account!.l1Owner,
          // The wallet's own key: anyone who has the wallet has the Datanet.
          keyX: client.l2Key!.keyX,
          amountWei: parseOpen(balance),
        });
        datanetId = (await getOperation(client, hash))?.createdId ?? null;
        if (datanetId === null)
          throw clientError("CLI_WAIT_ENDED", "the ledger has not opened the Datanet yet");
        setBegun({ ...begun, datanetId });
      }
      await setCard(client, { hostUrl, datanetId, card });
      sessionStorage.removeItem(draftKey(client));
      live.ring();
      if (files.length > 0) carryFiles(datanetId, files);
      window.location.hash = datanetHref(datanetId, files.length > 0 ? "contribute" : "");
    });
  return (
    <CardForm
      draft={begun.draft}
      onDraft={(draft) => setBegun({ ...begun, draft })}
      before={null}
      begin={
        <BeginWithFiles
          draft={begun.draft}
          onDraft={(draft) => setBegun((now) => ({ ...now, draft }))}
          onFiles={setFiles}
        />
      }
      action={action}
      advanced={
        <div class="columns columns-small">
          <Field
            label="Initial balance"
            value={balance}
            onInput={setBalance}
            after={<span class="soft">OPEN</span>}
            help="Pays the fees of the Datanet's own operations: cards and versions."
          />
          {site.datanetHosts.length > 1 && (
            <Choice
              label="Host"
              value={hostUrl}
              onChoose={setHostUrl}
              options={site.datanetHosts.map((name) => ({ name, label: name }))}
            />
          )}
        </div>
      }
      cost={begun.datanetId === null ? cost?.parts : undefined}
      submitLabel={
        begun.datanetId !== null
          ? `Sign the card of Datanet ${begun.datanetId}`
          : cost?.total == null
            ? "Create Datanet"
            : `Create Datanet (${cost.total})`
      }
      onSubmit={submit}
    />
  );
}
